"""Which source gives the energy, and whether it is believed."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csms.domain.energy import figure
from csms.domain.meter import ENERGY_IMPORT_INTERVAL, Reading
from csms.domain.quality import EnergySource, Flag
from csms.domain.registers import MeterState, recompute
from tests.domain.story import T0, at, register

HOUR = timedelta(hours=1)


def state_of(*readings: Reading, start: float | None = None, stop: float | None = None) -> MeterState:
    """Registers of start and stop in Wh, and readings."""
    explicit = MeterState(
        start_mwh=None if start is None else round(start * 1000),
        stop_mwh=None if stop is None else round(stop * 1000),
    )
    return recompute(explicit, readings, T0)


def samples(*wh: int) -> list[Reading]:
    """Register values, five minutes apart."""
    return [register(5 * n + 5, value) for n, value in enumerate(wh)]


@pytest.mark.parametrize(
    ("state", "energy_wh", "source", "flags"),
    [
        pytest.param(state_of(), None, EnergySource.NONE, (), id="nothing"),
        pytest.param(state_of(start=100, stop=5100), 5000, EnergySource.REGISTERS, (), id="registers"),
        pytest.param(state_of(*samples(200, 700), start=100), 600, EnergySource.PERIODIC, (), id="running"),
        pytest.param(
            state_of(
                register(0, 100, "transaction.begin"), register(9, 150), register(10, 400, "transaction.end")
            ),
            300,
            EnergySource.BEGIN_END,
            (),
            id="begin-end",
        ),
        pytest.param(state_of(*samples(1000, 1600)), 600, EnergySource.PERIODIC, (), id="periodic"),
        pytest.param(state_of(*samples(1000)), None, EnergySource.NONE, (), id="one sample says nothing"),
        pytest.param(
            state_of(*[Reading(at(n), ENERGY_IMPORT_INTERVAL, 1_500) for n in range(4)]),
            6,
            EnergySource.INTERVAL,
            (),
            id="intervals",
        ),
        pytest.param(
            state_of(start=500, stop=499), 0, EnergySource.REGISTERS, (), id="Huawei stops 1 Wh below"
        ),
        pytest.param(state_of(start=-1, stop=-1), 0, EnergySource.REGISTERS, (), id="same negative"),
    ],
)
def test_the_best_source_counts(
    state: MeterState, energy_wh: int | None, source: EnergySource, flags: tuple[Flag, ...]
) -> None:
    """Registers before begin and end, before samples, before intervals."""
    assert figure(state, HOUR, 60_000) == (energy_wh, source, flags)


def test_a_stop_below_the_start_gives_no_energy_t15() -> None:
    """T15: never negative, never guessed."""
    found = figure(state_of(start=5100, stop=100), HOUR, 60_000)

    assert found == (None, EnergySource.NONE, (Flag.STOP_BELOW_START,))


def test_a_reset_adds_up_segments_t16() -> None:
    """T16: start 1000, up to 3000, anew from 0 to 1050 at the stop."""
    state = state_of(*samples(2000, 3000, 50, 550), start=1000, stop=1050)

    assert figure(state, HOUR, 60_000) == (3050, EnergySource.REGISTERS, (Flag.REGISTER_RESET,))


def test_a_reset_that_leaves_the_stop_below_the_start_t16() -> None:
    """T16: the samples explain it, so the energy is known all the same."""
    state = state_of(*samples(100_500, 200), start=100_000, stop=700)

    assert figure(state, HOUR, 60_000) == (1200, EnergySource.REGISTERS, (Flag.REGISTER_RESET,))


def test_samples_from_zero_do_not_disturb_lifetime_registers_t17() -> None:
    """T17: a lifetime start and stop with session-relative samples: stop minus start, no -4,076 kWh."""
    state = state_of(*samples(0, 2_000, 4_900), start=4_076_000, stop=4_081_000)

    assert figure(state, HOUR, 60_000) == (5000, EnergySource.REGISTERS, (Flag.SESSION_REGISTER,))


def test_samples_from_zero_count_from_zero_while_charging_t17() -> None:
    """Before the stop is there, the samples themselves are the energy."""
    state = state_of(*samples(150, 2_000), start=4_076_000)

    assert figure(state, HOUR, 60_000) == (2000, EnergySource.PERIODIC, (Flag.SESSION_REGISTER,))


def test_a_stop_from_zero_too_t17() -> None:
    """Only the start is of the lifetime register: what the samples and the stop say counts."""
    state = state_of(*samples(100, 2_000), start=4_076_000, stop=2_500)

    found = figure(state, HOUR, 60_000)

    assert (found.energy_wh, found.source) == (2500, EnergySource.PERIODIC)
    assert set(found.flags) == {Flag.SESSION_REGISTER, Flag.STOP_BELOW_START}


@pytest.mark.parametrize(("start", "stop", "energy_wh"), [(999_990, 50, 60), (2**31 - 100, 900, 1000)])
def test_a_register_that_rolls_over_goes_on_from_zero_t18(start: int, stop: int, energy_wh: int) -> None:
    """T18: just below its last number at the start, just above zero at the stop."""
    assert figure(state_of(start=start, stop=stop), HOUR, 60_000) == (
        energy_wh,
        EnergySource.REGISTERS,
        (Flag.REGISTER_RESET,),
    )


def test_ten_mwh_in_a_minute_are_not_believed_t18() -> None:
    """T18: more than any connector can deliver; nothing sound is known."""
    found = figure(state_of(start=0, stop=10_000_000), timedelta(minutes=1), 60_000)

    assert found == (None, EnergySource.NONE, (Flag.IMPLAUSIBLE_ENERGY,))


def test_a_better_source_that_cannot_be_gives_way_to_a_worse_one_that_can() -> None:
    """A start of 0 for a register of 8 MWh: the samples tell what was delivered."""
    found = figure(state_of(*samples(8_000_000, 8_001_000), start=0, stop=8_001_200), HOUR, 22_000)

    assert found == (1200, EnergySource.PERIODIC, (Flag.IMPLAUSIBLE_ENERGY,))


def test_a_start_without_a_register_is_no_start_at_zero() -> None:
    """Alfen sends null: the first sample stands in, so that no session of 8 MWh comes of it."""
    found = figure(state_of(*samples(8_000_000, 8_001_000), stop=8_001_200), HOUR, 22_000)

    assert found == (1200, EnergySource.PERIODIC, ())


def test_more_than_the_registered_power_is_flagged_and_kept() -> None:
    """The registry may be wrong; physics is not: 20 kWh in an hour at a station registered with 7 kW."""
    found = figure(state_of(start=0, stop=20_000), HOUR, 7_000)

    assert found == (20_000, EnergySource.REGISTERS, (Flag.IMPLAUSIBLE_ENERGY,))


def test_phases_are_summed_only_without_a_total() -> None:
    """The total beside its phases is not added to them; phases alone are the total."""
    phases = [register(n, 10 * n, phase=phase) for n in (1, 11) for phase in ("l1", "l2", "l3")]

    assert figure(state_of(*phases), HOUR, None).energy_wh == 300
    assert figure(state_of(*phases, *samples(1000, 1290)), HOUR, None).energy_wh == 290


def test_another_place_counts_when_there_is_no_outlet() -> None:
    """A station whose meter sits at the inlet has only that."""
    inlet = [register(1, 100, location="inlet"), register(9, 400, location="inlet")]

    assert figure(state_of(*inlet), HOUR, None).energy_wh == 300
    assert figure(state_of(*inlet, *samples(5, 6)), HOUR, None).energy_wh == 1


def test_a_place_with_a_total_does_not_add_its_phases() -> None:
    """At the inlet as at the outlet."""
    inlet = [register(n, 100 * n, location="inlet", phase=phase) for n in (1, 9) for phase in ("", "l1")]

    assert figure(state_of(*inlet), HOUR, None).energy_wh == 800


def test_a_first_value_that_was_a_glitch_makes_no_relative_register() -> None:
    """A reset later on is a reset, not a register that counts from the session's start."""
    state = state_of(*samples(0, 1200, 50, 100), start=1000)

    assert figure(state, HOUR, 60_000).flags == (Flag.REGISTER_RESET,)


def test_a_lifetime_stop_does_not_continue_samples_from_zero() -> None:
    """When the two registers cannot be believed, the samples alone count."""
    state = state_of(*samples(0, 2_000, 4_900), start=4_076_000, stop=90_000_000)

    found = figure(state, HOUR, 60_000)

    assert (found.energy_wh, found.source) == (4900, EnergySource.PERIODIC)


def test_fractions_are_rounded_once() -> None:
    """Thousandths are kept until the end."""
    assert figure(state_of(register(1, 0.4), register(2, 1.0)), HOUR, None).energy_wh == 1


@given(
    st.lists(st.integers(0, 5_000_000), max_size=8),
    st.one_of(st.none(), st.integers(0, 5_000_000)),
    st.one_of(st.none(), st.integers(0, 5_000_000)),
    st.integers(0, 48),
    st.sampled_from([None, 7_000, 60_000]),
)
def test_energy_is_never_negative_nor_impossible(
    wh: list[int], start: int | None, stop: int | None, hours: int, power: int | None
) -> None:
    """Whatever the registers say: a number the connector could have delivered, or none."""
    found = figure(state_of(*samples(*wh), start=start, stop=stop), timedelta(hours=hours), power)

    assert found.energy_wh is None or 0 <= found.energy_wh <= 500_000 * 1.25 * hours + 1001
    assert (found.energy_wh is None) == (found.source is EnergySource.NONE)
