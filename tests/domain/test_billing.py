"""Sums of what was billed: exact, and the same in whatever order and grouping."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csms.domain.billing import NOTHING, PERIODS, Billed, Sums, fen, summed, sums_of, yuan

fens = st.integers(-10_000_000, 10_000_000)


@st.composite
def billed(draw: st.DrawFn) -> Billed:
    """A session with up to six lines, or without a price."""
    if draw(st.booleans()):
        return Billed(draw(st.integers(0, 200_000)))
    lines = tuple(
        {
            "period": draw(st.sampled_from(PERIODS)),
            "energy_wh": draw(st.integers(0, 90_000)),
            "elec_money": yuan(draw(fens)),
            "service_money": yuan(draw(fens)),
        }
        for _ in range(draw(st.integers(0, 6)))
    )
    elec, service = (sum(fen(line[name]) for line in lines) for name in ("elec_money", "service_money"))
    idle, parking = draw(fens), draw(fens)
    money = map(yuan, (elec + service + idle + parking, elec, service, idle, parking))
    return Billed(sum(line["energy_wh"] for line in lines), *money, lines)


@given(st.lists(billed(), max_size=30), st.integers(0, 30))
def test_sums_are_those_of_the_lines(lines: list[Billed], cut: int) -> None:
    """To the Wh and the fen, and cut into parts anywhere."""
    total = summed(map(sums_of, lines))

    assert total.sessions == len(lines)
    assert total.energy_wh == sum(line.energy_wh for line in lines)
    assert Decimal(yuan(total.total_fen)) == sum(
        (Decimal(line.total) for line in lines if line.total), Decimal()
    )
    parts = [total.part(period) for period in PERIODS]
    assert sum(part.fen for part in parts) == total.elec_fen + total.service_fen
    assert sum(part.wh for part in parts) == sum(line.energy_wh for line in lines if line.total is not None)
    assert total.total_fen == total.elec_fen + total.service_fen + total.idle_fen + total.parking_fen
    assert total == summed(map(sums_of, lines[:cut])).plus(summed(map(sums_of, lines[cut:])))


@pytest.mark.parametrize(
    ("text", "amount"), [("0.00", 0), ("44.79", 4479), ("-0.05", -5), ("100000000.01", 10_000_000_001)]
)
def test_money_is_fen(text: str, amount: int) -> None:
    """There and back, without a float."""
    assert (fen(text), yuan(amount)) == (amount, text)
    assert fen(None) == 0


def test_a_session_without_a_price() -> None:
    """Counts, with its energy, and is in no period."""
    assert sums_of(Billed(500)) == Sums(sessions=1, unpriced=1, energy_wh=500)
    assert summed([]) == NOTHING
