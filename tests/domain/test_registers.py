"""Register series: what is carried on equals what is counted anew, through resets, glitches and phases."""

import random

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from csms.domain.meter import ENERGY_IMPORT_INTERVAL, ENERGY_IMPORT_REGISTER, Reading
from csms.domain.registers import MeterState, Register, counting, distinct, fold, recompute
from tests.domain.story import T0, at, register

values = st.one_of(st.none(), st.integers(-5, 10_000_000).map(lambda wh: wh * 1000))
readings = st.lists(
    st.builds(
        Reading,
        st.integers(-5, 600).map(at),
        st.sampled_from([ENERGY_IMPORT_REGISTER, ENERGY_IMPORT_REGISTER, ENERGY_IMPORT_INTERVAL, "voltage"]),
        values,
        st.sampled_from(["", "", "", "l1", "l2", "l3", "n", "l1-l2"]),
        st.sampled_from(["", "outlet", "inlet", "ev", "body"]),
        st.sampled_from(["", "sample.periodic", "transaction.begin", "transaction.end"]),
    ),
    max_size=20,
)
starts = st.one_of(st.none(), st.integers(0, 10_000_000).map(lambda wh: wh * 1000))


def series(*wh: int) -> Register:
    """The total register after these values, a minute apart."""
    state = fold(MeterState(), [register(n, value) for n, value in enumerate(wh)], T0)
    assert state.total is not None
    return state.total


@given(readings, starts, st.randoms(use_true_random=False))
def test_fold_equals_recompute(found: list[Reading], start: int | None, rnd: random.Random) -> None:
    """Readings carried on one time after another make the state that all of them in any order make."""
    ordered = sorted(distinct(found), key=lambda reading: reading.at)
    carried = MeterState(start_mwh=start)
    for when in sorted({reading.at for reading in ordered}):
        carried = fold(carried, [reading for reading in ordered if reading.at == when], T0)

    shuffled = distinct(found)
    rnd.shuffle(shuffled)
    assert recompute(MeterState(start_mwh=start), shuffled, T0) == carried


@given(readings, starts)
def test_no_series_ever_has_negative_energy(found: list[Reading], start: int | None) -> None:
    """Segments are added up, never taken away."""
    state = recompute(MeterState(start_mwh=start), found, T0)

    for one in (state.total, *state.parts):
        assert one is None or (one.energy >= 0 and one.from_zero >= 0)


@given(readings, starts)
def test_the_state_survives_its_text(found: list[Reading], start: int | None) -> None:
    """It is stored with the session, so that a reconnect needs no re-reading."""
    state = recompute(MeterState(start_mwh=start), found, T0)

    assert msgspec.json.decode(msgspec.json.encode(state), type=MeterState) == state


def test_a_rising_register_counts_from_first_to_last() -> None:
    """The way of nearly all sessions."""
    assert series(1000, 1500, 1500, 2200).energy == 1_200_000


def test_a_fall_adds_up_monotone_segments_t16() -> None:
    """T16: 1000 to 1500, then 20 to 60; and 20 delivered since it fell to zero."""
    found = series(1000, 1500, 20, 60)

    assert (found.energy, found.from_zero, found.resets) == (540_000, 20_000, 1)


def test_two_resets_are_two_segments_more() -> None:
    """However often it falls."""
    found = series(100, 300, 0, 200, 0, 50)

    assert (found.energy, found.resets) == (450_000, 2)


def test_a_low_value_and_back_is_a_glitch() -> None:
    """A meter that cannot be read says 0 for a while: nothing was reset."""
    found = series(1_000_000, 1_000_500, 0, 0, 1_000_900)
    low = series(1_000_000, 1_000_500, 20, 20, 1_000_900)

    assert (found.energy, found.from_zero, found.resets) == (900_000, 0, 0)
    assert (low.energy, low.from_zero, low.resets) == (900_000, 0, 0)


def test_a_fall_of_a_few_wh_is_noise() -> None:
    """Some models step back by one now and then."""
    found, left = series(1000, 1500, 1499, 1600), series(1000, 1500, 1499, 1499)

    assert (found.energy, found.resets) == (600_000, 0)
    assert (left.energy, left.resets) == (500_000, 0)


def test_two_falls_in_a_row_are_one() -> None:
    """A second low value says no more than the first."""
    found = series(1000, 2000, 500, 0, 300)

    assert (found.energy, found.resets, found.from_zero) == (1_300_000, 1, 0)


def test_phases_and_places_are_series_of_their_own() -> None:
    """L1 and L1-N are one phase; neutral, line-to-line and the vehicle's meter are none of ours."""
    state = fold(
        MeterState(),
        [
            register(1, 10, phase="l1"),
            register(2, 15, phase="l1-n"),
            register(2, 7, phase="n"),
            register(2, 7, phase="l1-l2"),
            register(2, 99, location="ev"),
            register(2, 50, location="inlet"),
        ],
        T0,
    )

    assert [(part.place, part.phase, part.energy) for part in state.parts] == [
        ("inlet", "", 0),
        ("outlet", "l1", 5_000),
    ]
    assert state.total is None


def test_only_readings_of_the_session_count() -> None:
    """Not those long before the start, nor those of an old id used long after the end."""
    found = [register(-2, 1), register(-0.5, 2), register(5, 3), register(14, 4), register(16, 5)]

    assert [r.value for r in counting(found, T0, at(10))] == [2_000, 3_000, 4_000]


def test_what_cannot_be_read_is_counted() -> None:
    """Numbers that went wrong, units nobody knows, negative registers; not signed data."""
    state = fold(
        MeterState(),
        [
            register(1, 0)._replace(value=None, raw="1,5 kWh"),
            register(2, 0)._replace(value=None, raw="15 foo"),
            register(3, -5),
            register(4, 0)._replace(value=None, raw="OCMF|" + "x" * 200),
        ],
        T0,
    )

    assert (state.unreadable, state.unknown_unit, state.total) == (2, 1, None)


def test_intervals_are_summed_per_total_and_phase() -> None:
    """Both may be sent; they are not added to each other."""
    state = fold(
        MeterState(),
        [
            Reading(at(1), ENERGY_IMPORT_INTERVAL, 500),
            Reading(at(2), ENERGY_IMPORT_INTERVAL, 600),
            Reading(at(2), ENERGY_IMPORT_INTERVAL, 200, "l1"),
        ],
        T0,
    )

    assert (state.interval_mwh, state.phase_interval_mwh) == (1_100, 200)
