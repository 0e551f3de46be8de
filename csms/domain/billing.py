"""What sessions were billed, added up: by site, day and time-of-use period. Pure; money in fen, energy in Wh.

Everything is a whole number, so sums are exact: those of a month are those of its lines, to the fen.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from operator import add
from typing import Any, NamedTuple

from csms.domain.tariff import Period

PERIODS: tuple[str, ...] = tuple(period.value for period in Period)


@dataclass(frozen=True, slots=True)
class Billed:
    """An ended session as it is billed: by its latest price, or without one (`total` None).

    Money is decimal text as it was stored. `lines` are those of its price: period, energy and money.
    """

    energy_wh: int
    total: str | None = None
    elec_money: str | None = None
    service_money: str | None = None
    idle_money: str | None = None
    parking_money: str | None = None
    lines: tuple[Mapping[str, Any], ...] = ()


class Part(NamedTuple):
    """What flowed in one time-of-use period."""

    wh: int = 0
    elec_fen: int = 0
    service_fen: int = 0

    @property
    def fen(self) -> int:
        """Electricity and service."""
        return self.elec_fen + self.service_fen


class Sums(NamedTuple):
    """Sums over sessions. `unpriced` are those without a price; their energy is in no period."""

    sessions: int = 0
    unpriced: int = 0
    energy_wh: int = 0
    elec_fen: int = 0
    service_fen: int = 0
    idle_fen: int = 0
    parking_fen: int = 0
    total_fen: int = 0
    sharp_wh: int = 0
    sharp_elec_fen: int = 0
    sharp_service_fen: int = 0
    peak_wh: int = 0
    peak_elec_fen: int = 0
    peak_service_fen: int = 0
    flat_wh: int = 0
    flat_elec_fen: int = 0
    flat_service_fen: int = 0
    valley_wh: int = 0
    valley_elec_fen: int = 0
    valley_service_fen: int = 0

    def plus(self, other: "Sums") -> "Sums":
        """Both together."""
        return Sums(*map(add, self, other))

    def part(self, period: str) -> Part:
        """What flowed in a period."""
        return Part(*(getattr(self, f"{period}_{what}") for what in Part._fields))


NOTHING = Sums()


def sums_of(one: Billed) -> Sums:
    """One session's part of every sum."""
    if one.total is None:
        return Sums(sessions=1, unpriced=1, energy_wh=one.energy_wh)
    parts: dict[str, int] = {}
    for line in one.lines:
        period = line["period"]
        found = (line["energy_wh"], fen(line["elec_money"]), fen(line["service_money"]))
        for what, value in zip(Part._fields, found, strict=True):
            name = f"{period}_{what}"
            parts[name] = parts.get(name, 0) + value
    return Sums(
        1,
        0,
        one.energy_wh,
        fen(one.elec_money),
        fen(one.service_money),
        fen(one.idle_money),
        fen(one.parking_money),
        fen(one.total),
        **parts,
    )


def summed(lines: Iterable[Sums]) -> Sums:
    """All of them together."""
    total = NOTHING
    for line in lines:
        total = total.plus(line)
    return total


def fen(money: str | None) -> int:
    """Decimal text in CNY as fen; nothing is 0."""
    return 0 if money is None else int(Decimal(money).scaleb(2))


def yuan(amount: int) -> str:
    """Fen as decimal text in CNY: `-0.05`."""
    return str(Decimal(amount).scaleb(-2))
