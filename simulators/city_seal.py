"""The T/CEC 102 envelope as a city platform opens and seals it. Written from the standard on its own."""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
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

    def sealed_answer(self, ret: int, msg: str, body: Mapping[str, Any] | None) -> dict[str, Any]:
        """Ret, Msg, Data and Sig."""
        data = "" if body is None else self.encrypt(write_json(body))
        return {"Ret": ret, "Msg": msg, "Data": data, "Sig": self.sign(str(ret), msg, data)}

    def sealed_request(self, sender: str, body: Mapping[str, Any], stamp: str, seq: str) -> dict[str, str]:
        """The five fields; `stamp` is China local time as yyyyMMddHHmmss, `seq` has four digits."""
        data = self.encrypt(write_json(body))
        sig = self.sign(sender, data, stamp, seq)
        return {"OperatorID": sender, "Data": data, "TimeStamp": stamp, "Seq": seq, "Sig": sig}

    def _cipher(self) -> Cipher[modes.CBC]:
        return Cipher(algorithms.AES(self.data_secret.encode()), modes.CBC(self.data_secret_iv.encode()))


def write_json(body: Any) -> str:
    """JSON with exact decimals, as `read_json` gave them."""
    return json.dumps(body, ensure_ascii=False, default=_exact)


def read_json(text: str | bytes) -> Any:
    """JSON with exact decimals, and nothing that JSON does not have. Raises ValueError."""
    return json.loads(text, parse_float=Decimal, parse_constant=_no_number, object_pairs_hook=_once)


def _exact(value: object) -> float:
    assert isinstance(value, Decimal)
    return float(value)  # shortest text that reads back as the same number: up to 15 digits are exact


def _no_number(text: str) -> Any:
    raise ValueError(f"{text} is not JSON")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice")
    return found
