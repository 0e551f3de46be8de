"""The sealed envelope of T/CEC 102 part 4: AES-128-CBC, HMAC-MD5, the five fields.

Pure. It knows keys, bytes and field names; it knows no interface, no socket and no clock. HMAC-MD5 and a
fixed initialisation vector are what the standard demands; TLS carries the real protection.
"""

import binascii
import hmac
import json
import re
from base64 import b64decode, b64encode
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES128
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.padding import PKCS7

from csms.errors import CsmsError

CHINA = timezone(timedelta(hours=8), "CST")  # one zone, no summer time since 1991
LAST_SEQ = 9999

_OPERATOR = re.compile(r"[\x21-\x7e]{9}")
_STAMP = re.compile(r"[0-9]{14}")
_SEQ = re.compile(r"[0-9]{4}")
_RET = re.compile(r"0|-?[1-9][0-9]{0,8}")


class EnvelopeError(CsmsError):
    """The envelope was not accepted."""


class BadEnvelope(EnvelopeError):
    """The envelope is not as agreed:"""


class BadSignature(EnvelopeError):
    """The envelope's signature is not the peer's."""


class BadCiphertext(EnvelopeError):
    """The envelope's Data cannot be decrypted:"""


@dataclass(frozen=True, slots=True)
class Keys:
    """What seals one direction between two peers. Texts, used as their UTF-8 bytes; never shown."""

    data_secret: str = field(repr=False)
    data_secret_iv: str = field(repr=False)
    sig_secret: str = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.data_secret.encode()) != 16 or len(self.data_secret_iv.encode()) != 16:
            raise BadEnvelope("DataSecret and DataSecretIV are 16 bytes each")
        if not self.sig_secret:
            raise BadEnvelope("SigSecret is empty")


@dataclass(frozen=True, slots=True)
class Request:
    """An opened request. `timestamp` is China local time as it stood on the wire."""

    operator_id: str
    text: str
    timestamp: str
    seq: str


@dataclass(frozen=True, slots=True)
class SealedRequest:
    """A request whose form is right, and of which nothing may be believed before `verify`."""

    operator_id: str
    data: str
    timestamp: str
    seq: str
    sig: str


@dataclass(frozen=True, slots=True)
class Response:
    """An opened response whose signature was right. `text` is None where Data was empty."""

    ret: int
    msg: str
    text: str | None


def seal_request(keys: Keys, operator_id: str, text: str, timestamp: str, seq: str) -> dict[str, str]:
    """Encrypt and sign `text` as `operator_id`; `timestamp` and `seq` come from a SeqCounter."""
    data = encrypt(keys, text)
    return {
        "OperatorID": operator_id,
        "Data": data,
        "TimeStamp": timestamp,
        "Seq": seq,
        "Sig": sign(keys, operator_id + data + timestamp + seq),
    }


def open_request(keys: Keys, body: bytes) -> Request:
    """Check and decrypt a request. Raises BadEnvelope, BadSignature or BadCiphertext, in this order."""
    sealed = read_request(body)
    verify(keys, sealed)
    return Request(sealed.operator_id, decrypt(keys, sealed.data), sealed.timestamp, sealed.seq)


def read_request(body: bytes) -> SealedRequest:
    """The five fields, for whoever must know the sender before the keys. Raises BadEnvelope."""
    fields = parse_object(body)
    return SealedRequest(
        _text(fields, "OperatorID", _OPERATOR),
        _text(fields, "Data"),
        _text(fields, "TimeStamp", _STAMP),
        _text(fields, "Seq", _SEQ),
        _text(fields, "Sig"),
    )


def verify(keys: Keys, sealed: SealedRequest) -> None:
    """Raises BadSignature unless the sender of `sealed` has these keys."""
    # The three fields round Data have fixed lengths, so the joined text has one reading only.
    _check(keys, sealed.operator_id + sealed.data + sealed.timestamp + sealed.seq, sealed.sig)


def seal_response(keys: Keys, ret: int, msg: str = "", text: str | None = None) -> dict[str, str | int]:
    """Sign an answer, encrypting `text` where there is one."""
    data = "" if text is None else encrypt(keys, text)
    return {"Ret": ret, "Msg": msg, "Data": data, "Sig": sign(keys, f"{ret}{msg}{data}")}


def open_response(keys: Keys, body: bytes) -> Response:
    """Check and decrypt an answer; Ret may be a number or its text (Beijing sends "0").

    Raises BadEnvelope, BadSignature or BadCiphertext. Fields beyond the four are ignored: the Xiaoju
    dialect adds OperatorID, which no signature covers.
    """
    fields = parse_object(body)
    ret = _ret(fields)
    msg = _text(fields, "Msg") if fields.get("Msg") is not None else ""
    data = _text(fields, "Data") if fields.get("Data") is not None else ""
    _check(keys, ret + msg + data, _text(fields, "Sig"))
    return Response(int(ret), msg, decrypt(keys, data) if data else None)


def encrypt(keys: Keys, text: str) -> str:
    """Base64 of AES-128-CBC with PKCS#7 over the UTF-8 bytes."""
    padder = PKCS7(128).padder()
    try:
        padded = padder.update(text.encode()) + padder.finalize()
    except UnicodeEncodeError as exc:
        raise BadEnvelope("Data is not Unicode text") from exc
    encryptor = _cipher(keys).encryptor()
    return b64encode(encryptor.update(padded) + encryptor.finalize()).decode()


def decrypt(keys: Keys, data: str) -> str:
    """The text of `data`. Raises BadCiphertext; call it only after the signature was checked."""
    try:
        sealed = b64decode(data, validate=True)
    except (binascii.Error, ValueError) as exc:
        raise BadCiphertext("not base64") from exc
    if not sealed or len(sealed) % 16:
        raise BadCiphertext("not whole blocks")
    decryptor = _cipher(keys).decryptor()
    unpadder = PKCS7(128).unpadder()
    try:
        padded = decryptor.update(sealed) + decryptor.finalize()
        return (unpadder.update(padded) + unpadder.finalize()).decode()
    except ValueError as exc:  # padding, or not UTF-8
        raise BadCiphertext("wrong key or damaged") from exc


def sign(keys: Keys, joined: str) -> str:
    """Upper-case hexadecimal HMAC-MD5 over the fields joined without separators."""
    try:
        return hmac.digest(keys.sig_secret.encode(), joined.encode(), "md5").hex().upper()
    except UnicodeEncodeError as exc:
        raise BadEnvelope("a field is not Unicode text") from exc


def parse_object(body: bytes | str) -> dict[str, Any]:
    """One JSON object, read strictly: UTF-8, no NaN, no key twice. Raises BadEnvelope."""
    try:
        value = json.loads(
            body if isinstance(body, str) else body.decode("utf-8"),
            object_pairs_hook=_without_repeats,
            parse_constant=_refuse_constant,
        )
    except (ValueError, RecursionError) as exc:  # JSONDecodeError and UnicodeDecodeError are ValueErrors
        raise BadEnvelope("not a JSON object") from exc
    if not isinstance(value, dict):
        raise BadEnvelope("not a JSON object")
    return value


def stamp(at: datetime) -> str:
    """`yyyyMMddHHmmss` in China local time. `at` must know its zone."""
    return _in_china(at).strftime("%Y%m%d%H%M%S")


def moment(timestamp: str) -> datetime:
    """The instant of a TimeStamp. Raises BadEnvelope for a date that does not exist."""
    try:
        return datetime.strptime(timestamp, "%Y%m%d%H%M%S").replace(tzinfo=CHINA)
    except ValueError as exc:
        raise BadEnvelope("TimeStamp is no date and time") from exc


def local_time(at: datetime) -> str:
    """`yyyy-MM-dd HH:mm:ss` in China local time. `at` must know its zone."""
    return _in_china(at).strftime("%Y-%m-%d %H:%M:%S")


class SeqCounter:
    """TimeStamp and Seq of one peer: Seq counts from 0001 in each second and no pair is given twice.

    A clock that steps back, or more than 9999 envelopes in a second, moves on from the last pair.
    """

    def __init__(self) -> None:
        self._second = datetime.min.replace(tzinfo=CHINA)
        self._seq = 0

    def take(self, now: datetime) -> tuple[str, str]:
        """The next `(TimeStamp, Seq)`."""
        second = _in_china(now).replace(microsecond=0)
        if second > self._second:
            self._second, self._seq = second, 0
        elif self._seq == LAST_SEQ:
            self._second, self._seq = self._second + timedelta(seconds=1), 0
        self._seq += 1
        return pair(self._second, self._seq)

    async def give(self, now: datetime) -> tuple[str, str]:
        """The same for who may have to wait for it elsewhere."""
        return self.take(now)


def pair(second: datetime, seq: int) -> tuple[str, str]:
    """`(TimeStamp, Seq)` as they are written. `second` must know its zone."""
    return stamp(second), f"{seq:04d}"


def _in_china(at: datetime) -> datetime:
    if at.tzinfo is None:
        raise ValueError("a time without a zone cannot be told in China local time")
    return at.astimezone(CHINA)


def _cipher(keys: Keys) -> Cipher[CBC]:
    return Cipher(AES128(keys.data_secret.encode()), CBC(keys.data_secret_iv.encode()))


def _check(keys: Keys, joined: str, sig: str) -> None:
    if not hmac.compare_digest(sign(keys, joined).encode(), sig.encode("utf-8", "replace")):
        raise BadSignature


def _text(fields: dict[str, Any], name: str, form: re.Pattern[str] | None = None) -> str:
    value = fields.get(name)
    if not isinstance(value, str):
        raise BadEnvelope(f"{name} is missing or not text")
    if form is not None and not form.fullmatch(value):
        raise BadEnvelope(f"{name} has the wrong form")
    return value


def _ret(fields: dict[str, Any]) -> str:
    """Ret as the text that the signature covers."""
    ret = fields.get("Ret")
    text = str(ret) if isinstance(ret, int) and not isinstance(ret, bool) else ret
    if not isinstance(text, str) or not _RET.fullmatch(text):
        raise BadEnvelope("Ret is missing or not a whole number")
    return text


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise ValueError("a key stands twice")
    return fields


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
