"""Payloads by action: decoded, checked and encoded, by the JSON schemas of the `ocpp` package.

Knows versions and schemas; nothing of frames. A good payload costs one typed decode. Only when that fails
is the package's validator asked what is wrong and where, and `repairs` says what is put up with, what is
put right, and what is refused.

The NUL character is refused in every payload: PostgreSQL cannot store it, and SQLite must not differ. Of
duplicate keys the last one wins, in the typed decoders and in the repairs alike.
"""

import re
from collections.abc import Iterable, Sequence
from decimal import Decimal
from functools import cache
from importlib import resources
from typing import Any, Final

import msgspec
from ocpp.messages import get_validator

from csms.domain.assets import OcppVersion
from csms.errors import InvalidInput
from csms.protocol import repairs as repairing
from csms.protocol.repairs import STANDARD, Finding, PayloadRefused, Reason, Repairs
from csms.protocol.structs import MOST_ELEMENTS, exact_type, loose_type

Findings = Sequence[Finding]

_PACKAGE = {OcppVersion.V16: "1.6", OcppVersion.V201: "2.0.1", OcppVersion.V21: "2.1"}
_CALL, _CALL_RESULT, _NEITHER = 2, 3, 0  # the package's message types; of SEND it knows nothing
_SENT = frozenset({"NotifyPeriodicEventStream"})  # the only unconfirmed message (2.1)
_UNREADABLE = (msgspec.MsgspecError, RecursionError, UnicodeError)
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
# These have multipleOf in 1.6, which the typed decoders leave out: limits in tenths.
_TENTHS = frozenset({"SetChargingProfile", "RemoteStartTransaction", "GetCompositeSchedule"})
_MOST_DEPTH = 32
_MOST_KEYS = 1_000

_read_any = msgspec.json.Decoder(float_hook=Decimal).decode
_exact_numbers = msgspec.json.Encoder(decimal_format="number").encode
_encode: Final = msgspec.json.encode


def encode(payload: Any) -> bytes:
    """A payload as compact JSON."""
    return _encode(payload)


class Message:
    """One request or response of one version: its decoder, and the package's validator for bad payloads."""

    __slots__ = ("_action", "_exact", "_is_free", "_is_reply", "_loose", "_read", "_validator")

    def __init__(self, version: OcppVersion, action: str, is_request: bool) -> None:
        kind = (_NEITHER if action in _SENT else _CALL) if is_request else _CALL_RESULT
        # Decimals, because multipleOf (limits in tenths, 1.6) cannot be told from binary fractions.
        self._validator = get_validator(kind, action, _PACKAGE[version], parse_float=Decimal)
        schema = self._validator.schema
        self._action = action
        self._is_reply = not is_request
        self._is_free = any(
            not part.keys() & {"type", "$ref"} for part in schema.get("properties", {}).values()
        )
        self._exact = exact_type(schema)
        self._read = msgspec.json.Decoder(self._exact).decode
        self._loose: msgspec.json.Decoder[Any] | None = None

    def decode(self, raw: bytes | msgspec.Raw, repairs: Repairs = STANDARD) -> tuple[Any, Findings]:
        """The typed payload, and what had to be put up with. Raises PayloadRefused."""
        raw = bytes(raw)
        # Most common first: a payload as the schema wants it.
        try:
            payload = self._read(raw)
        except _UNREADABLE:
            return self._repaired(raw, repairs)
        if b"\\u0000" in raw:
            _refuse_nul(raw)
        if self._is_free:
            _refuse_size(_untyped(raw))
        return payload, ()

    def typed(self, raw: bytes) -> Any | None:
        """The payload of a message that is just as the schema wants it; None: `decode` must say."""
        try:
            payload = self._read(raw)
        except _UNREADABLE:
            return None
        return None if self._is_free or b"\\u0000" in raw else payload

    def check(self, payload: Any) -> None:
        """Raises InvalidInput, saying what and where, unless the schema takes the payload."""
        try:
            msgspec.convert(payload, self._exact)
        except (msgspec.ValidationError, RecursionError) as exc:
            raise InvalidInput(f"{self._action}: {self._why(payload) or exc}") from exc
        if self._action in _TENTHS and (why := self._why(payload)):
            raise InvalidInput(f"{self._action}: {why}")

    def _why(self, payload: Any) -> str:
        try:
            readable = _read_any(_encode(payload))
            error = next(self._validator.iter_errors(readable), None)
        except (TypeError, ValueError, ArithmeticError, RecursionError) as exc:
            return str(exc) or type(exc).__name__
        return "" if error is None else repairing.describe(error)

    def _repaired(self, raw: bytes, repairs: Repairs) -> tuple[Any, Findings]:
        """The payload as the station will have meant it."""
        payload = _untyped(raw)
        _refuse_size(payload)
        is_kept = self._is_reply or self._action in repairs.never_lost
        payload, findings = repairing.repair(payload, self._validator, is_kept, repairs)
        if self._loose is None:
            self._loose = msgspec.json.Decoder(loose_type(self._validator.schema))
        try:
            return self._loose.decode(_exact_numbers(payload)), findings
        except msgspec.ValidationError as exc:
            # What the validator takes and we do not: integers beyond 64 bits.
            raise PayloadRefused(Reason.TYPE, str(exc)) from exc


@cache
def message(version: OcppVersion, action: str, is_request: bool = True) -> Message:
    """The message; built when first asked for. Raises InvalidInput if the version has no such action."""
    if action not in actions(version):
        raise InvalidInput(f"{version} has no action {action[:50]!r}")
    return Message(version, action, is_request)


@cache
def actions(version: OcppVersion) -> frozenset[str]:
    """Every action of a version, in either direction."""
    folder = resources.files("ocpp") / f"v{_PACKAGE[version].replace('.', '')}" / "schemas"
    names = (file.name.removesuffix(".json") for file in folder.iterdir() if file.name.endswith(".json"))
    return frozenset(name.removesuffix("Request") for name in names if not name.endswith("Response"))


def preload(version: OcppVersion, wanted: Iterable[str]) -> None:
    """Build these messages now, so that no station waits for it."""
    for action in wanted:
        message(version, action, True)
        if action not in _SENT:
            message(version, action, False)


def decode(
    version: OcppVersion, action: str, raw: bytes | msgspec.Raw, repairs: Repairs = STANDARD
) -> tuple[Any, Findings]:
    """A station's request as its struct, and what was put up with. Raises PayloadRefused."""
    return message(version, action).decode(raw, repairs)


def decode_response(
    version: OcppVersion, action: str, raw: bytes | msgspec.Raw, repairs: Repairs = STANDARD
) -> tuple[dict[str, Any], Findings]:
    """A station's answer as it came, once it is known to be usable. Raises PayloadRefused."""
    payload, findings = message(version, action, False).decode(raw, repairs)
    if not findings:
        return msgspec.json.decode(raw, type=dict), findings
    return msgspec.to_builtins(payload), findings


def check_request(version: OcppVersion, action: str, payload: dict[str, Any]) -> None:
    """Raises InvalidInput unless the payload may be sent as a request."""
    message(version, action, True).check(payload)


def check_response(version: OcppVersion, action: str, payload: dict[str, Any]) -> None:
    """Raises InvalidInput unless the payload may be sent as an answer."""
    message(version, action, False).check(payload)


def _untyped(raw: bytes) -> Any:
    _refuse_nul(raw)
    try:
        return _read_any(raw)
    except msgspec.ValidationError as exc:
        raise PayloadRefused(Reason.TYPE, str(exc)) from exc
    except _UNREADABLE as exc:
        raise PayloadRefused(Reason.MALFORMED, str(exc)) from exc


def _refuse_nul(raw: bytes) -> None:
    if _NUL.search(raw):
        raise PayloadRefused(Reason.MALFORMED, "a text contains the NUL character")


def _refuse_size(payload: Any) -> None:
    """Bounds no schema states: nesting (counting the frame around it), elements and keys."""
    level = [payload] if isinstance(payload, dict | list) else []
    for _ in range(_MOST_DEPTH - 1):
        inner: list[Any] = []
        for value in level:
            if len(value) > (_MOST_KEYS if isinstance(value, dict) else MOST_ELEMENTS):
                raise PayloadRefused(Reason.PROPERTY, f"{len(value)} elements are too many")
            inner += value.values() if isinstance(value, dict) else value
        level = [value for value in inner if isinstance(value, dict | list)]
    if level:
        raise PayloadRefused(Reason.MALFORMED, f"nested deeper than {_MOST_DEPTH}")
