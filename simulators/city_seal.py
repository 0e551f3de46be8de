"""The T/CEC 102 envelope as a city platform opens and seals it. Written from the standard on its own."""

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

BLOCK = 16
DEMO_SECRET = "1234567890abcdef"  # the key of the standard's own examples


@dataclass(frozen=True)
class Secrets:
    """What the city gave one operator. All four are texts; the two data secrets have 16 characters."""

    operator_secret: str = DEMO_SECRET
    data_secret: str = DEMO_SECRET
    data_secret_iv: str = DEMO_SECRET
    sig_secret: str = DEMO_SECRET

    def encrypt(self, text: str) -> str:
        """Base64 of the AES-128-CBC ciphertext."""
        plain = text.encode()
        missing = BLOCK - len(plain) % BLOCK
        engine = self._cipher().encryptor()
        return base64.b64encode(
            engine.update(plain + bytes([missing]) * missing) + engine.finalize()
        ).decode()

    def decrypt(self, data: str) -> str:
        """The text of Data. Raises ValueError."""
        sealed = base64.b64decode(data, validate=True)
        engine = self._cipher().decryptor()
        padded = engine.update(sealed) + engine.finalize()
        missing = padded[-1] if padded else 0
        if not 1 <= missing <= BLOCK or padded[-missing:] != bytes([missing]) * missing:
            raise ValueError("wrong padding")
        return padded[:-missing].decode()

    def sign(self, *parts: str) -> str:
        """HMAC-MD5 over the joined parts, 32 upper-case hexadecimal digits."""
        return hmac.new(self.sig_secret.encode(), "".join(parts).encode(), hashlib.md5).hexdigest().upper()

    def sealed_answer(self, ret: int, msg: str, body: dict[str, Any] | None) -> dict[str, Any]:
        """Ret, Msg, Data and Sig."""
        data = "" if body is None else self.encrypt(json.dumps(body, ensure_ascii=False))
        return {"Ret": ret, "Msg": msg, "Data": data, "Sig": self.sign(str(ret), msg, data)}

    def _cipher(self) -> Cipher[modes.CBC]:
        return Cipher(algorithms.AES(self.data_secret.encode()), modes.CBC(self.data_secret_iv.encode()))


def read_json(text: str | bytes) -> Any:
    """JSON with exact decimals. Raises ValueError."""
    return json.loads(text, parse_float=Decimal)
