"""What stations send instead of what the schema wants, and how it is put right. Knows payloads, no frame.

Three levels for each deviation: *noted* (taken as it is), *repaired* (put right; what was sent is in the
finding), refused (it cannot be understood). The package's validator says what is wrong and where; the rule
for its keyword deals with it; then it is asked again, because one repair may settle or uncover another.
Messages that would be lost if refused - meter values, statuses, boots, transactions, reports - are never
refused for a word, a number of elements or a length.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import islice
from types import MappingProxyType
from typing import Any, NamedTuple

from csms.errors import CsmsError
from csms.protocol.coercions import coerced
from csms.protocol.dialect import ErrorCodes


class Level(StrEnum):
    """How far a deviation that was put up with went."""

    NOTED = "noted"
    REPAIRED = "repaired"


class Finding(NamedTuple):
    """One deviation. `where` has no indices, so that findings can be counted by it.

    `what`: the schema keyword (`type`, `enum`, `maxLength`, ...). `sent`: what came, cut to 200 characters.
    """

    level: Level
    what: str
    where: str
    sent: str


class Reason(StrEnum):
    """Why a payload is refused; the value is the field of `ErrorCodes` that has the version's word."""

    MALFORMED = "malformed"
    OCCURRENCE = "occurrence"
    TYPE = "type_constraint"
    PROPERTY = "property_constraint"


class PayloadRefused(CsmsError):
    """This payload cannot be used:"""

    def __init__(self, reason: Reason, description: str) -> None:
        super().__init__(description)
        self.reason = reason
        self.description = description

    def code(self, errors: ErrorCodes) -> str:
        """The version's error code."""
        code: str = getattr(errors, self.reason)
        return code


NEVER_LOST = frozenset(
    {
        *(
            "BootNotification",
            "Heartbeat",
            "StatusNotification",
            "MeterValues",
            "NotifyReport",
            "NotifyEvent",
        ),
        *("StartTransaction", "StopTransaction", "TransactionEvent", "SecurityEventNotification"),
        *("FirmwareStatusNotification", "SignedFirmwareStatusNotification"),
        *("LogStatusNotification", "DiagnosticsStatusNotification"),
    }
)
# Cut short, an identity would be another one's.
_IDENTITIES = ("idTag", "idToken", "parentIdTag", "additionalIdToken", "transactionId", "serialNumber")
_SERIALS = ("chargePointSerialNumber", "chargeBoxSerialNumber", "meterSerialNumber")
_SIGNED = ("signedMeterData", "publicKey")
_KEPT = {**dict.fromkeys(_IDENTITIES + _SERIALS, 255), **dict.fromkeys(_SIGNED, 65_536)}
_ALIASES = {"errorCode": {"none": "NoError", "ok": "NoError", "*": "OtherError"}}
_ESSENTIAL = frozenset({"eventType"})  # TransactionEvent means nothing without knowing which


@dataclass(frozen=True, slots=True)
class Repairs:
    """What is put up with; a vendor profile changes it. Names are property names of the schemas.

    `aliases`: property -> word as sent, in lower case -> the schema's word (`*`: any other).
    `kept`: characters kept of a property in messages that are never lost, instead of the schema's.
    `limits`: the same in every message. `coerce`: numbers for texts and the like. `extra`: unknown
    properties are ignored instead of refused. `token`: a pattern over the whole of an id token as sent,
    whose group `card` is the token that was meant.
    """

    never_lost: frozenset[str] = NEVER_LOST
    aliases: Mapping[str, Mapping[str, str]] = field(default_factory=lambda: MappingProxyType(_ALIASES))
    kept: Mapping[str, int] = field(default_factory=lambda: MappingProxyType(_KEPT))
    limits: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    coerce: bool = True
    extra: bool = True
    token: re.Pattern[str] | None = None

    def card(self, text: str) -> str:
        """The token that was meant by an id token as sent."""
        found = self.token.fullmatch(text) if self.token is not None else None
        return found["card"] if found is not None else text


STANDARD = Repairs()
STRICT = Repairs(never_lost=frozenset(), aliases={}, kept={}, coerce=False, extra=False)

_LONGEST = 200
_MOST_ROUNDS = 8
_MOST_ERRORS = 1_000
# Repairing costs 50 us each: what is beyond this many is an attack, not a station's habit.
_MOST_FINDINGS = 1_000
_REASONS = {
    "required": Reason.OCCURRENCE,
    "minItems": Reason.OCCURRENCE,
    "maxItems": Reason.OCCURRENCE,
    "type": Reason.TYPE,
    "additionalProperties": Reason.MALFORMED,
}


def repair(payload: Any, validator: Any, is_kept: bool, repairs: Repairs) -> tuple[Any, list[Finding]]:
    """The payload put right (in place where it can be) and the findings. Raises PayloadRefused."""
    work = _Work(payload, is_kept, repairs)
    for _ in range(_MOST_ROUNDS):
        errors = work.open_errors(validator)
        if not errors:
            return work.payload, work.findings
        left = [error for error in errors if not work.deal_with(error)]
        if len(work.findings) > _MOST_FINDINGS:
            raise PayloadRefused(Reason.PROPERTY, f"more than {_MOST_FINDINGS} deviations")
        if len(left) == len(errors) and not work.drop(left):
            raise _refusal(left[0])
    raise _refusal(errors[0])


def describe(error: Any) -> str:
    """What is wrong and where, for the peer's error description."""
    return f"{_where(error.absolute_path) or 'payload'}: {error.message[:160]}"


def _refusal(error: Any) -> PayloadRefused:
    return PayloadRefused(_REASONS.get(error.validator, Reason.PROPERTY), describe(error))


def _where(path: Any) -> str:
    return ".".join("[]" if isinstance(step, int) else step for step in path).replace(".[]", "[]")


class _Work:
    """One payload being put right."""

    def __init__(self, payload: Any, is_kept: bool, repairs: Repairs) -> None:
        self.payload = payload
        self.findings: list[Finding] = []
        self._repairs = repairs
        self._is_kept = is_kept
        self._accepted: set[tuple[Any, ...]] = set()

    def open_errors(self, validator: Any) -> list[Any]:
        """What is wrong still, apart from what was accepted."""
        try:
            errors = (e for e in validator.iter_errors(self.payload) if _key(e) not in self._accepted)
            return list(islice(errors, _MOST_ERRORS))
        except ArithmeticError as exc:  # multipleOf of a number like 1e400
            raise PayloadRefused(Reason.TYPE, "a number is out of range") from exc

    def deal_with(self, error: Any) -> bool:
        """Whether the error is settled now."""
        rule = _RULES.get(error.validator)
        return rule is not None and rule(self, error)

    def drop(self, errors: list[Any]) -> bool:
        """A sample or custom data that cannot be read is taken out, not to cost the whole message."""
        places = {_droppable(tuple(error.absolute_path)) for error in errors} - {()}
        if not self._is_kept or not places:
            return False
        # Last first, so that the places of the others stay what they are.
        for place in sorted(places, key=lambda path: (len(path), str(path[-1]).zfill(6)), reverse=True):
            parent = self._at(place[:-1])
            self._found(Level.REPAIRED, "unreadable", place, parent.pop(place[-1]))
        return True

    def type_(self, error: Any) -> bool:
        path, value = tuple(error.absolute_path), error.instance
        if not path:
            return self._whole(error)
        parent = self._at(path[:-1])
        if value is None and isinstance(parent, dict):
            del parent[path[-1]]
            return self._found(Level.REPAIRED, "null", path, value)
        if not self._repairs.coerce:
            return False
        better = coerced(value, error.validator_value)
        if better is None:
            return False
        parent[path[-1]] = better
        return self._found(Level.REPAIRED, "type", path, value)

    def _whole(self, error: Any) -> bool:
        """R09: null or [] instead of {} where nothing is required."""
        if error.instance not in (None, [], "") or error.schema.get("required"):
            return False
        self._found(Level.REPAIRED, "type", (), error.instance)
        self.payload = {}
        return True

    def enum(self, error: Any) -> bool:
        path, value = tuple(error.absolute_path), error.instance
        if not isinstance(value, str):
            return False  # its type is dealt with first
        name, words = _name(path), error.validator_value
        known = {word.lower(): word for word in words}
        aliases = self._repairs.aliases.get(name, {})
        folded = value.strip().lower()
        better = known.get(folded) or aliases.get(folded) or (aliases.get("*") if self._is_kept else None)
        if better in words:
            self._at(path[:-1])[path[-1]] = better
            return self._found(Level.REPAIRED, "enum", path, value)
        return self._is_kept and name not in _ESSENTIAL and self._accept(error)

    def length(self, error: Any) -> bool:
        path, value = tuple(error.absolute_path), error.instance
        name, most = _name(path), int(error.validator_value)
        limit = self._repairs.limits.get(name, 0)
        if len(value) <= limit or (self._is_kept and len(value) <= self._repairs.kept.get(name, 0)):
            return self._accept(error)
        if not self._is_kept:
            return False
        self._at(path[:-1])[path[-1]] = value[: max(most, limit, self._repairs.kept.get(name, 0))]
        self._found(Level.REPAIRED, "maxLength", path, value)
        return self._accept(error, is_new=False)

    def bound(self, error: Any) -> bool:
        return self._is_kept and self._accept(error)

    def extra(self, error: Any) -> bool:
        """Unknown properties: a known one in other case is renamed, the rest ignored."""
        path, value, known = tuple(error.absolute_path), error.instance, error.schema.get("properties", {})
        missing = {name.lower(): name for name in known if name not in value}
        for name in [name for name in value if name not in known]:
            if self._repairs.coerce and name.lower() in missing:
                value[missing.pop(name.lower())] = value.pop(name)
                self._found(Level.REPAIRED, "name", (*path, name), name)
            elif self._repairs.extra:
                self._found(Level.NOTED, "additionalProperties", (*path, name), value[name])
                self._accepted.add(_key(error))
            else:
                return False
        return True

    def _accept(self, error: Any, is_new: bool = True) -> bool:
        """Leave it as it is, and do not look at it again."""
        self._accepted.add(_key(error))
        return not is_new or self._found(Level.NOTED, error.validator, error.absolute_path, error.instance)

    def _found(self, level: Level, what: str, path: Any, sent: Any) -> bool:
        self.findings.append(Finding(level, what, _where(path)[:_LONGEST], str(sent)[:_LONGEST]))
        return True

    def _at(self, path: tuple[Any, ...]) -> Any:
        value = self.payload
        for step in path:
            value = value[step]
        return value


_RULES: dict[str, Callable[[_Work, Any], bool]] = {
    "type": _Work.type_,
    "enum": _Work.enum,
    "maxLength": _Work.length,
    "additionalProperties": _Work.extra,
    **dict.fromkeys(("minItems", "maxItems", "minimum", "maximum", "multipleOf"), _Work.bound),
}


def _key(error: Any) -> tuple[Any, ...]:
    return (error.validator, *error.absolute_path)


def _name(path: tuple[Any, ...]) -> str:
    return next((step for step in reversed(path) if isinstance(step, str)), "")


def _droppable(path: tuple[Any, ...]) -> tuple[Any, ...]:
    """The part of a path that leads to an element of `sampledValue` or to `customData`; () if none does."""
    for at, step in enumerate(path):
        if step == "customData":
            return path[: at + 1]
        if step == "sampledValue" and at + 1 < len(path):
            return path[: at + 2]
    return ()
