"""Access tokens that we give to a platform: signed, not stored, so that every node knows them.

A token holds when it ends and a signature under a key made of the platform's own secrets: changing a secret
ends every token. Knows no envelope and no clock.
"""

import hmac
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime, timedelta

_NONCE = 12
_ENDS = 6
_MAC = 30
_BYTES = _ENDS + _NONCE + _MAC  # 48: 64 characters of base64, without padding


class TokenMint:
    """Makes and knows the tokens of one platform towards us."""

    def __init__(self, platform: str, lives_s: float, *given: str) -> None:
        """`given` are the secrets that the token's life depends on, besides its `lives_s` seconds."""
        self.lives_s = int(lives_s)
        joined = "\x00".join((platform, *given)).encode()
        self._key = hmac.digest(b"csms city platform access token", joined, "sha256")

    def make(self, now: datetime) -> str:
        """A new token of 64 characters, good for `lives_s`."""
        ends = int((now.astimezone(UTC) + timedelta(seconds=self.lives_s)).timestamp()).to_bytes(_ENDS, "big")
        head = ends + secrets.token_bytes(_NONCE)
        return urlsafe_b64encode(head + self._mac(head)).decode()

    def knows(self, token: str, now: datetime) -> bool:
        """Whether the token is one of ours and has not ended."""
        try:
            raw = urlsafe_b64decode(token.encode("ascii"))
        except ValueError:  # not ASCII, or not base64
            return False
        if len(raw) != _BYTES:
            return False
        head, mac = raw[:-_MAC], raw[-_MAC:]
        if not hmac.compare_digest(mac, self._mac(head)):
            return False
        return now.timestamp() < int.from_bytes(head[:_ENDS], "big")

    def _mac(self, head: bytes) -> bytes:
        return hmac.digest(self._key, head, "sha256")[:_MAC]
