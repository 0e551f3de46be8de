"""Dated spells: joining, moving, retiring, coming back, and corrections."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csms.domain.placing import Dates, Place, Spell, checked, settle
from csms.errors import InvalidInput

DAY = timedelta(days=1)
T0 = datetime(2016, 1, 1, tzinfo=UTC)
NOW = T0 + 900 * DAY
HERE, THERE = Place("123456789", "S1", "social-public"), Place("123456789", "S2", "social-public")


def day(n: int) -> datetime:
    """So many days after the beginning."""
    return T0 + n * DAY


def test_a_new_asset_joins_when_it_says_or_now() -> None:
    """Without any date it counts from now on."""
    assert settle((), HERE, Dates(), NOW) == (Spell(NOW, None, HERE),)
    assert settle((), HERE, Dates(day(3)), NOW) == (Spell(day(3), None, HERE),)
    assert settle((), HERE, Dates(None, day(4), day(9)), NOW) == (Spell(day(4), day(9), HERE),)


def test_moving_keeps_the_past() -> None:
    """The old place ends where the new one begins; what is read and written back moves now."""
    before = (Spell(day(0), None, HERE),)

    assert settle(before, THERE, Dates(day(0), day(5)), NOW) == (
        Spell(day(0), day(5), HERE),
        Spell(day(5), None, THERE),
    )
    assert settle(before, THERE, Dates(day(0), day(0)), NOW)[1] == Spell(NOW, None, THERE)


def test_what_becomes_known_is_no_move() -> None:
    """A class that nobody had entered was always so."""
    before = (Spell(day(0), None, HERE._replace(charger_class="")),)

    assert settle(before, HERE, Dates(), NOW) == (Spell(day(0), None, HERE),)


def test_retiring_correcting_and_coming_back() -> None:
    """An end is set and corrected; without an end the asset joins again after a gap."""
    retired = settle((Spell(day(0), None, HERE),), HERE, Dates(retired_at=day(8)), NOW)
    corrected = settle(retired, HERE, Dates(day(1), None, day(7)), NOW)
    back = settle(corrected, THERE, Dates(day(1), day(20)), NOW)

    assert retired == (Spell(day(0), day(8), HERE),)
    assert corrected == (Spell(day(1), day(7), HERE),)
    assert back == (Spell(day(1), day(7), HERE), Spell(day(20), None, THERE))


def test_an_end_that_is_to_come_can_be_called_off() -> None:
    """Nothing ended yet: no gap appears."""
    planned = (Spell(day(0), NOW + DAY, HERE),)

    assert settle(planned, HERE, Dates(), NOW) == (Spell(day(0), None, HERE),)


@pytest.mark.parametrize(
    "dates",
    [Dates(None, NOW + DAY), Dates(day(9), None, day(8)), Dates(day(9), None, day(9))],
)
def test_dates_without_order_are_refused(dates: Dates) -> None:
    """Not placed in the future, not ended before the beginning."""
    with pytest.raises(InvalidInput):
        settle((Spell(day(0), None, HERE),), HERE, dates, NOW)


def test_joined_after_the_first_move_is_refused() -> None:
    """The correction would turn the first spell round."""
    with pytest.raises(InvalidInput, match="before it begins"):
        settle((Spell(day(0), day(5), HERE), Spell(day(5), None, THERE)), THERE, Dates(day(6)), NOW)


@pytest.mark.parametrize(
    "spells",
    [
        (Spell(day(0), None, HERE), Spell(day(5), None, THERE)),
        (Spell(day(0), day(6), HERE), Spell(day(5), None, THERE)),
    ],
)
def test_overlapping_spells_are_refused(spells: tuple[Spell, ...]) -> None:
    """One date, one answer."""
    with pytest.raises(InvalidInput):
        checked(spells)


DAYS = st.none() | st.integers(0, 900).map(day)
STEPS = st.lists(
    st.tuples(st.sampled_from([HERE, THERE]), st.builds(Dates, DAYS, DAYS, DAYS)), min_size=1, max_size=8
)


@given(STEPS)
def test_any_history_stays_in_order_and_repeating_changes_nothing(steps: list[tuple[Place, Dates]]) -> None:
    """Whatever is said in whatever order, each instant has at most one spell."""
    spells: tuple[Spell, ...] = ()
    for n, (place, dates) in enumerate(steps):
        now = NOW + n * DAY
        try:
            spells = settle(spells, place, dates, now)
        except InvalidInput:
            continue
        again = settle(spells, place, dates, now + timedelta(hours=1))
        assert again == spells or dates.joined_at is not None
        assert all(sum(spell.holds(day(d)) for spell in spells) <= 1 for d in range(0, 910, 13))
