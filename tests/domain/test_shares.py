"""Rounded parts add up to the rounded whole."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from csms.domain.shares import fen, kwh, shares


def test_whoever_lost_most_gets_the_unit() -> None:
    """Of equal losses the earlier part's."""
    assert shares([16, 17, 17], 10) == [1, 2, 2]
    assert shares([14, 13, 13], 10) == [2, 1, 1]
    assert shares([5, 5], 10) == [1, 0]
    assert shares([0, 5, 0, 5], 10) == [0, 1, 0, 0]
    assert shares([], 10) == []
    assert shares([5], 10) == [1]
    assert shares([4], 10) == [0]


def test_money_and_energy_have_two_decimals() -> None:
    """12 Wh at 0.7853 CNY and at 1.2347 CNY; 1.004 + 1.004 + 1.004 kWh is 3.01 kWh."""
    assert fen([12 * 7853, 12 * 12347]) == [Decimal("0.01"), Decimal("0.01")]
    assert [str(one) for one in kwh([1004, 1004, 1004])] == ["1.01", "1.00", "1.00"]


@given(st.lists(st.integers(0, 10**9), max_size=40), st.sampled_from([1, 2, 7, 10, 100_000]))
def test_shares_add_up(parts: list[int], unit: int) -> None:
    """And none is a unit off; nothing comes of nothing."""
    made = shares(parts, unit)

    total = sum(parts)
    assert sum(made) == (total // unit if total % unit < unit / 2 else total // unit + 1)
    for part, share in zip(parts, made, strict=True):
        assert abs(part - share * unit) < unit
        assert part or not share
