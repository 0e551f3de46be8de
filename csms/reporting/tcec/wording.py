"""How any record becomes a message: names, required fields, numbers, spelling. Pure; knows no kind of record.

Energies come as integer Wh, other readings in thousandths, money as Decimal; all leave as exact decimal
numbers, rounded half up to the profile's places. Parts of a whole are rounded so that they add up to it.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import ROUND_FLOOR, ROUND_HALF_UP, Decimal
from typing import Any, NamedTuple, Self, TypeVar

import msgspec

from csms.errors import CsmsError
from csms.reporting.tcec.profile import Profile
from csms.reporting.tcec.pushes import Push

SEQ_LENGTH = 27  # 9 of the operator, 18 of its own

R = TypeVar("R")
Table = Mapping[str, Callable[[R, Profile], Any]]
_encoder = msgspec.json.Encoder(decimal_format="number")


class BadRecord(CsmsError):
    """This record cannot be told to a city platform:"""


class KindNotTaken(CsmsError):
    """This platform does not take messages of the kind:"""


class Message(NamedTuple):
    """What is to be sealed and where it goes: the path from the server's root, and the body as JSON."""

    path: str
    text: str


class Record:
    """What all outbox payloads can do. Keys not known are ignored, so that records may grow."""

    __slots__ = ()

    @classmethod
    def from_payload(cls, payload: Mapping[str, object]) -> Self:
        """The record in an outbox row. Raises BadRecord naming the key."""
        try:
            return msgspec.convert(dict(payload), cls)
        except (msgspec.ValidationError, ValueError) as exc:
            raise BadRecord(str(exc)) from exc

    def to_payload(self) -> dict[str, Any]:
        """What the outbox stores as JSON."""
        payload = msgspec.to_builtins(self)
        assert isinstance(payload, dict)
        return payload


@dataclass(frozen=True, slots=True)
class Place:
    """How the city knows the place a record speaks of; '' where the inventory does not say."""

    station_id: str = ""
    station_name: str = ""
    owner_id: str = ""
    equipment_id: str = ""
    connector_id: str = ""


NOWHERE = Place()


def body_of(
    record: R, table: Table[R], profile: Profile, fields: Sequence[str], required: Collection[str] = ()
) -> dict[str, Any]:
    """The fields of `record`, in order. What is not known is left out, unless it is required.

    Raises BadRecord for a required value that is not known and has no default in the standard.
    """
    body = {}
    for name in fields:
        value = table[name](record, profile)
        if value is None and name in required:
            value = _default(name, profile)
        if value is not None:
            body[name] = value
    return body


# What the standard says, or implementations send, where a mandatory number is not known.
_NOTHING_YET: dict[str, Callable[[Profile], Any]] = {
    **dict.fromkeys(
        ("TotalElecMoney", "TotalServiceMoney", "TotalMoney", "ElecMoney", "ServiceMoney", "PaymentAmount"),
        lambda p: rounded(Decimal(0), p.decimals.money),
    ),
    **dict.fromkeys(
        ("CurrentA", "CurrentB", "CurrentC", "ChargeCurrent"),
        lambda p: rounded(Decimal(0), p.decimals.current),
    ),
    **dict.fromkeys(
        ("VoltageA", "VoltageB", "VoltageC", "ChargeVoltage"),
        lambda p: rounded(Decimal(0), p.decimals.voltage),
    ),
    "Soc": lambda p: rounded(Decimal(0), p.decimals.soc),
    # Energy that is not known is told as 0, and corrected by a later revision.
    "TotalPower": lambda p: rounded(Decimal(0), p.decimals.energy),
    "ChargeElectricity": lambda p: rounded(Decimal(0), p.decimals.energy),
    "DischargeElectricity": lambda p: rounded(Decimal(0), p.decimals.energy),
    "SumPeriod": lambda p: 0,
    "ChargeDetails": lambda p: [],
    "UserName": lambda p: "",
    "ParkNums": lambda p: 0,
    "FailReason": lambda p: 0,
}


def _default(name: str, profile: Profile) -> Any:
    if name not in _NOTHING_YET:
        raise BadRecord(f"{name} is required and not known")
    return _NOTHING_YET[name](profile)


def message(body: dict[str, Any], push: Push, profile: Profile) -> Message:
    """The body under its path, every name as the platform spells it."""
    spelt = respelt(body, profile.spellings(push))
    return Message(profile.url_path(push.path), _encoder.encode(spelt).decode())


def respelt(value: Any, spelling: Mapping[str, str]) -> Any:
    """`value` with every field name as the platform spells it."""
    if isinstance(value, dict):
        return {spelling.get(name, name): respelt(inner, spelling) for name, inner in value.items()}
    if isinstance(value, list):
        return [respelt(inner, spelling) for inner in value]
    return value


def kilo(thousandths: int, places: int) -> Decimal:
    """Wh as kWh, W as kW, thousandths as units."""
    return rounded(Decimal(thousandths).scaleb(-3), places)


def kilo_or_none(thousandths: int | None, places: int) -> Decimal | None:
    """The same where there may be no value."""
    return None if thousandths is None else kilo(thousandths, places)


def money_or_none(amount: Decimal | None, profile: Profile) -> Decimal | None:
    """CNY to the profile's places."""
    return None if amount is None else rounded(amount, profile.decimals.money)


def rounded(amount: Decimal, places: int) -> Decimal:
    """Half up, as bills are."""
    return amount.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)


def apportioned(parts: Sequence[Decimal], total: Decimal, places: int) -> list[Decimal]:
    """`parts` rounded to `places` so that they add up to `total`, itself so rounded (largest remainder).

    No part is a whole unit off. Raises BadRecord when the parts do not add up to the total before rounding.
    """
    unit = Decimal(1).scaleb(-places)
    cut = [part.quantize(unit, ROUND_FLOOR) for part in parts]
    missing = int((total - sum(cut, Decimal(0))) / unit)
    loss = [part - floor for part, floor in zip(parts, cut, strict=True)]
    if abs(sum(parts, Decimal(0)) - total) > unit / 2 or not 0 <= missing <= len(parts):
        raise BadRecord(f"the details add up to {sum(parts, Decimal(0))}, the total is {total}")
    for n in sorted(range(len(parts)), key=lambda n: -loss[n])[:missing]:
        cut[n] += unit
    return cut


def shown(flag: bool, text: str) -> str | None:
    """Personal data where the profile asks for it."""
    return text if flag and text else None


def with_zone(*times: datetime | None) -> None:
    """Raises ValueError for a time that is not in UTC."""
    if any(at is not None and (at.tzinfo is None or at.utcoffset() != timedelta(0)) for at in times):
        raise ValueError(f"times are told in UTC, e.g. {datetime(2026, 1, 1, tzinfo=UTC).isoformat()}")


def finite(amounts: Iterable[Decimal | None]) -> None:
    """Raises ValueError for money that is no number."""
    if any(amount is not None and not amount.is_finite() for amount in amounts):
        raise ValueError("money is not a number")


def seq_of_right_length(seq: str, name: str = "start_charge_seq") -> None:
    """Raises ValueError unless it has 27 characters."""
    if len(seq) != SEQ_LENGTH:
        raise ValueError(f"{name} has {len(seq)} characters, not {SEQ_LENGTH}")
