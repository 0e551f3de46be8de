"""Time-based one-time codes (RFC 6238, as authenticator apps make them), and codes for a lost app. Pure."""

import hashlib
import hmac
import secrets
from base64 import b32decode, b32encode
from datetime import datetime
from urllib.parse import quote

STEP_S, DIGITS = 30, 6
DRIFT = 1  # steps that a phone's clock may be wrong, each way
RECOVERY_CODES = 10


def new_secret() -> str:
    """A secret for an app: 160 bits in base32 (RFC 4226, 4)."""
    return b32encode(secrets.token_bytes(20)).decode()


def address_of(secret: str, account: str, issuer: str) -> str:
    """What an app reads from a QR code."""
    return f"otpauth://totp/{quote(issuer)}:{quote(account)}?secret={secret}&issuer={quote(issuer)}"


def code_at(secret: str, step: int) -> str:
    """The code of a step of 30 s since 1970 (RFC 4226, 5.3)."""
    digest = hmac.new(b32decode(secret), step.to_bytes(8, "big"), hashlib.sha1).digest()
    at = digest[-1] & 0x0F
    number = int.from_bytes(digest[at : at + 4], "big") & 0x7FFF_FFFF
    return f"{number % 10**DIGITS:0{DIGITS}d}"


def step_of(secret: str, code: str, now: datetime, last: int) -> int | None:
    """The step this code is of; None for a wrong one and for a used one (at or before step `last`)."""
    current = int(now.timestamp()) // STEP_S
    found = None
    for step in range(current - DRIFT, current + DRIFT + 1):
        if hmac.compare_digest(code_at(secret, step).encode(), code.encode()) and step > last:
            found = step
    return found


def recovery_codes() -> list[str]:
    """Codes for whoever has lost the app, each good for once."""
    return [f"{secrets.token_hex(4)}-{secrets.token_hex(4)}" for _ in range(RECOVERY_CODES)]


def digest_of(code: str) -> str:
    """What is kept of a recovery code. It is random and long: a slow hash would protect nothing more."""
    return hashlib.sha256(code.strip().lower().encode()).hexdigest()
