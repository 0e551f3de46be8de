"""What messages make of a session, in every version alike: a table, and the rows of the threat list."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from csms.domain.assets import TokenStatus
from csms.domain.events import PresentedToken
from csms.domain.session import (
    EnergySource,
    Evidence,
    Flag,
    MessageInfo,
    SessionState,
    apply,
    evolve,
    suspect,
)
from csms.domain.transitions import _applied, _Delivery, _is_plain
from tests.domain.story import (
    ACCEPTED,
    BLOCKED,
    HOUR,
    MINUTE,
    STATION,
    T0,
    Event,
    Story,
    at,
    begun,
    ended,
    metered,
    register,
    started,
    told,
)

ACTIVE, SUSPECTED, ENDED = SessionState.ACTIVE, SessionState.SUSPECTED_ENDED, SessionState.ENDED


def in_state(state: SessionState) -> Story:
    """A 2.x session that has come so far: started at 0, read at 10 (and 20), suspected or ended at 30."""
    story = Story()
    story.tell(started(seq=0, wh=1000))
    story.tell(metered(10, 2000, seq=1))
    if state is SUSPECTED:
        change = suspect(story.now, Evidence.CONNECTOR_AVAILABLE, at(30), at(30))
        assert change is not None
        story.keep(change)
    if state is ENDED:
        story.tell(ended(30, 3000, seq=3))
    assert story.now.state is state
    return story


@pytest.mark.parametrize(
    ("state", "event", "after", "expected"),
    [
        (ACTIVE, metered(20, 2500, seq=2), ACTIVE, {"energy_wh": 1500, "revised": False, "hours_due": False}),
        (ACTIVE, ended(30, 3000, seq=2), ENDED, {"energy_wh": 2000, "hours_due": True, "order_due": True}),
        (ACTIVE, started(seq=0, wh=1000), ACTIVE, {"is_repeat": True}),
        (ACTIVE, metered(10, 2000, seq=1), ACTIVE, {"is_repeat": True}),
        (SUSPECTED, metered(20, 2500, seq=2), SUSPECTED, {"energy_wh": 1500, "hours_due": False}),
        (SUSPECTED, metered(40, 2500, seq=2), ACTIVE, {"energy_wh": 1500, "hours_due": False}),
        (SUSPECTED, ended(29, 3000, seq=2), ENDED, {"energy_wh": 2000, "order_due": True, "revised": False}),
        (SUSPECTED, started(seq=0, wh=1000), SUSPECTED, {"is_repeat": True}),
        (ENDED, metered(20, 2500, seq=2), ENDED, {"energy_wh": 2000, "revised": False, "order_due": False}),
        (ENDED, metered(40, 9999, seq=4), ENDED, {"energy_wh": 2000, "revised": False}),
        (ENDED, ended(30, 3000, seq=3), ENDED, {"is_repeat": True}),
        (ENDED, ended(45, 4000, seq=4), ENDED, {"revised": False, "end": at(30)}),
        (ENDED, started(seq=0, wh=1000), ENDED, {"is_repeat": True}),
    ],
)
def test_every_state_meets_every_event(
    state: SessionState, event: Event, after: SessionState, expected: dict[str, Any]
) -> None:
    """(state, event) -> (state, change)."""
    story = in_state(state)

    change = story.tell(event, at(60))

    found = {
        "is_repeat": change.is_repeat,
        "revised": change.revised,
        "hours_due": change.hours_due,
        "order_due": change.order_due,
        "energy_wh": change.session.energy_wh,
        "end": change.session.ended_at,
    }
    assert change.session.state is after
    assert {name: found[name] for name in expected} == expected


@pytest.mark.parametrize(
    ("event", "state", "flags"),
    [
        (started(), ACTIVE, ()),
        (started(seq=0), ACTIVE, ()),
        (metered(5, 100, seq=4), ACTIVE, (Flag.PROVISIONAL,)),
        (ended(5, 100, seq=4), ENDED, (Flag.PROVISIONAL,)),
        (ended(5, 100), ENDED, (Flag.ORPHAN_STOP,)),
        (metered(5, 100), ACTIVE, (Flag.PROVISIONAL,)),
    ],
)
def test_every_event_can_be_the_first(event: Event, state: SessionState, flags: tuple[Flag, ...]) -> None:
    """A session is never refused because something else should have come first."""
    change = begun(event)

    assert change.is_new
    assert change.hours_due
    assert not change.order_due
    assert (change.session.state, change.session.flags) == (state, flags)


def test_the_same_story_in_1_6_and_2_x_is_the_same_session() -> None:
    """One model: only the source of the figure and the version differ."""
    v16 = told(started(wh=100), metered(10, 2100), ended(30, 5100))
    v2x = told(started(seq=0, wh=100), metered(10, 2100, seq=1), ended(30, 5100, seq=2))

    assert (v16.energy_wh, v16.energy_source) == (5000, EnergySource.REGISTERS)
    assert (v2x.energy_wh, v2x.energy_source) == (5000, EnergySource.BEGIN_END)
    assert (v16.started_at, v16.ended_at) == (v2x.started_at, v2x.ended_at)
    assert (v16.meter_start_wh, v16.meter_stop_wh) == (v2x.meter_start_wh, v2x.meter_stop_wh) == (100, 5100)


def test_a_retried_start_is_the_same_session_t01_t02() -> None:
    """T01, T02: found by its natural key, whatever message id it has now, and whatever else it says."""
    story = Story()
    story.tell(started())

    assert story.tell(started(), at(3)).is_repeat
    assert story.tell(started(reservation_id=5), at(3)).is_repeat


def test_a_retried_stop_stops_once_t05() -> None:
    """T05: the transaction data of a retry are not stored again."""
    stop = ended(30, 3000, readings=(register(10, 2000), register(20, 2500)))
    story = Story()
    story.tell(started())
    story.tell(stop)

    assert story.tell(stop, at(35)).is_repeat
    assert len(story.readings) == 2


def test_another_stop_after_the_first_is_evidence_only_t05() -> None:
    """The first wins; the second is kept beside it, and again only once."""
    story = Story()
    story.tell(started())
    story.tell(ended(30, 3000))

    change = story.tell(ended(31, 3100), at(31))

    assert change.message is not None
    assert change.message.key.startswith("stop#")
    assert not change.revised
    assert (change.session.meter_stop_wh, change.session.ended_at) == (3000, at(30))


def test_retried_meter_values_are_stored_once_t06() -> None:
    """T06: with a new message id, and also among other readings."""
    story = Story()
    story.tell(started())
    story.tell(metered(10, 2000))

    assert story.tell(metered(10, 2000), at(12)).is_repeat

    change = story.tell(metered(15, readings=(register(10, 2000), register(15, 2500))), at(15))
    assert change.readings == (register(15, 2500),)
    assert change.session.energy_wh == 1500


def test_a_session_replayed_hours_late_keeps_its_times_t13() -> None:
    """T13: the station's times stay; ours are beside them."""
    story = Story()
    for event in (started(), metered(10, 2000), ended(30, 3000)):
        story.tell(event, T0 + 8 * HOUR)

    assert (story.now.started_at, story.now.ended_at) == (T0, at(30))
    assert (story.now.received_at, story.now.end_received_at) == (T0 + 8 * HOUR, T0 + 8 * HOUR)
    assert story.now.flags == ()


def test_a_stop_below_the_start_is_no_energy_t15() -> None:
    """T15: both registers are kept, the energy is not known."""
    session = told(started(wh=5000), ended(30, 100))

    assert (session.meter_start_wh, session.meter_stop_wh, session.energy_wh) == (5000, 100, None)
    assert session.flags == (Flag.STOP_BELOW_START,)


def test_a_register_that_resets_t16() -> None:
    """T16: the samples tell what the two registers hide."""
    events = [metered(10 * n, wh) for n, wh in ((1, 2000), (2, 3000), (3, 50), (4, 550))]

    session = told(started(wh=1000), *events, ended(50, 1050))

    assert (session.energy_wh, session.flags) == (3050, (Flag.REGISTER_RESET,))


def test_a_session_relative_register_t17() -> None:
    """T17: ABB samples from zero between lifetime registers."""
    story = Story()
    story.tell(started(wh=4_076_000))
    for n, wh in enumerate((0, 1500, 3000)):
        story.tell(metered(n + 10, wh))
    assert story.now.energy_wh == 3000

    story.tell(ended(30, 4_079_500))
    assert (story.now.energy_wh, story.now.flags) == (3500, (Flag.SESSION_REGISTER,))


def test_ten_mwh_in_a_minute_t18() -> None:
    """T18: flagged, and not added to any total."""
    session = told(started(wh=0), ended(1, 10_000_000))

    assert (session.energy_wh, session.flags) == (None, (Flag.IMPLAUSIBLE_ENERGY,))


def test_a_doubt_goes_when_its_reason_goes_t18() -> None:
    """A burst at the beginning is believed once there was time for it."""
    story = Story()
    story.tell(started(wh=0))
    story.tell(metered(1, 5_000))
    assert story.now.flags == (Flag.IMPLAUSIBLE_ENERGY,)

    story.tell(metered(30, 6_000))
    assert not story.now.flags
    assert story.now.energy_wh == 6_000


@pytest.mark.parametrize("status", [TokenStatus.BLOCKED, TokenStatus.INVALID, TokenStatus.EXPIRED])
def test_a_refused_start_is_a_session_all_the_same_t19(status: TokenStatus) -> None:
    """T19: recorded with why; nobody owes the city an order for nothing, but for what flowed."""
    verdict = replace(BLOCKED, status=status)
    story = Story()
    change = story.tell(started(), verdict=verdict)

    assert (change.session.authorization, change.session.flags) == (status, (Flag.REJECTED_START,))
    assert change.session.authorization_reason == "the token is blocked"
    assert not story.tell(ended(1, 1000)).order_due

    story = Story()
    story.tell(started(), verdict=verdict)
    assert story.tell(ended(30, 3000)).order_due


@pytest.mark.parametrize("evse", [0, -5, 99])
def test_a_connector_that_cannot_be_is_flagged_t21(evse: int) -> None:
    """T21: answered and kept."""
    session = told(started(evse=evse), ended(30, 3000))

    assert (session.evse, session.energy_wh) == (evse, 2000)
    assert Flag.BAD_CONNECTOR in session.flags


@pytest.mark.parametrize(
    "wrong",
    [
        datetime(1970, 1, 1, tzinfo=UTC),
        datetime(2036, 2, 7, tzinfo=UTC),
        T0 + timedelta(days=1),
        datetime(1, 1, 1, tzinfo=UTC),
        datetime(9999, 12, 31, tzinfo=UTC),
        None,
    ],
)
def test_a_clock_that_cannot_be_right_gives_way_to_ours_t22(wrong: datetime | None) -> None:
    """T22: flagged, and the session can close."""
    story = Story()
    reading = register(0, 2000)._replace(at=wrong or datetime(1970, 1, 1, tzinfo=UTC))
    story.tell(replace(started(), at=wrong, at_raw="?"), T0)
    story.tell(replace(metered(10, 0), at=wrong, readings=(reading,)), at(10))
    change = story.tell(replace(ended(30, 3000), at=wrong), at(30))

    assert (change.session.started_at, change.session.ended_at) == (T0, at(30))
    assert (change.session.energy_wh, change.session.flags) == (2000, (Flag.CLOCK,))
    assert story.readings[0].at == at(10)
    assert change.message is not None
    assert change.message.at == wrong


def test_a_retried_start_of_a_wrong_clock_is_still_the_same() -> None:
    """The natural key has the station's time, not ours."""
    wrong = replace(started(), at=datetime(1970, 1, 1, 0, 7, tzinfo=UTC))
    story = Story()
    story.tell(wrong, T0)

    assert story.tell(wrong, at(5)).is_repeat


def test_many_readings_of_a_wrong_clock_keep_their_order() -> None:
    """A queue of 1970: the last is now, the others as far before it as the station says."""
    story = Story()
    story.tell(started(wh=0), T0)
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    values = tuple(register(0, 100 * n)._replace(at=epoch + n * MINUTE) for n in range(1, 6))

    story.tell(replace(metered(0), at=epoch, readings=values), at(30))

    assert [reading.at for reading in story.readings] == [at(26 + n) for n in range(5)]
    assert story.now.energy_wh == 500


def test_a_clock_that_steps_back_in_mid_session_t23() -> None:
    """T23: order by arrival and number; no reset is seen where there was none."""
    story = Story()
    story.tell(started(seq=0, wh=0), T0)
    story.tell(metered(10, 100, seq=1), at(10))
    story.tell(metered(20, 200, seq=2), at(20))
    back = replace(metered(30, seq=3), at=at(-30), readings=(register(-30, 300),))
    story.tell(back, at(30))
    change = story.tell(replace(ended(40, seq=4), at=at(-20), readings=(register(-20, 400),)), at(40))

    assert (change.session.energy_wh, change.session.ended_at) == (400, at(40))
    assert change.session.flags == (Flag.CLOCK,)


def test_a_stop_before_its_start_ends_when_it_came_t23() -> None:
    """T23: never a session of negative length."""
    story = Story()
    story.tell(started(), T0)

    change = story.tell(ended(-60, 2000), at(30))

    assert (change.session.ended_at, change.session.flags) == (at(30), (Flag.CLOCK,))


def test_meter_values_without_numbers_step_back_by_their_register_t23() -> None:
    """1.6 has no numbers: a register that went on shows that only the clock went back."""
    story = Story()
    story.tell(started(wh=0), T0)
    story.tell(metered(20, 200), at(20))

    story.tell(metered(5, 300), at(30))

    assert (story.now.energy_wh, story.now.flags) == (300, (Flag.CLOCK,))


def test_a_thousand_samples_with_the_stop_t24() -> None:
    """T24: all of them, once."""
    values = tuple(register(n / 20, 1000 + n) for n in range(1, 1001))

    story = Story()
    story.tell(started())
    change = story.tell(ended(60, 2000, readings=values))

    assert (len(change.readings), change.session.energy_wh) == (1000, 1000)


def test_an_event_that_comes_again_is_the_same_e01() -> None:
    """E01: same number, same payload."""
    story = Story()
    story.tell(started(seq=0))
    story.tell(metered(10, 2000, seq=1))

    assert story.tell(metered(10, 2000, seq=1), at(12)).is_repeat


def test_an_update_after_the_end_counts_e02() -> None:
    """E02: late data make a revision when they change what was reported."""
    story = Story()
    story.tell(started(seq=0, wh=None))
    story.tell(metered(10, 2000, seq=1))
    story.tell(ended(30, seq=3))
    assert story.now.energy_wh is None

    change = story.tell(metered(20, 2600, seq=2), at(40))

    assert (change.session.energy_wh, change.session.revision, change.cause) == (600, 2, "late-data")
    assert change.revised
    assert change.order_due
    assert change.hours_due
    assert change.session.flags == (Flag.LATE_DATA,)


def test_a_gap_is_flagged_until_it_is_filled_e03() -> None:
    """E03: 0, 1, 3, Ended."""
    story = in_state(ENDED)
    assert story.now.sequence.missing == (2,)
    assert story.now.flags == (Flag.GAP,)

    story.tell(metered(20, 2500, seq=2), at(40))

    assert not story.now.sequence.missing
    assert story.now.flags == (Flag.LATE_DATA,)


def test_a_session_may_be_known_before_it_starts_e04() -> None:
    """E04: provisional until its start comes; then whole, and the order is owed."""
    story = Story()
    story.tell(metered(10, 2000, seq=1))
    change = story.tell(ended(30, 3000, seq=2))
    assert change.session.flags == (Flag.PROVISIONAL,)
    assert change.session.energy_wh == 1000
    assert not change.order_due

    change = story.tell(started(0, seq=0, wh=1000), at(40))

    assert (change.session.energy_wh, change.session.started_at) == (2000, T0)
    assert (change.session.token, change.session.evse) == ("A1", 1)
    assert change.order_due
    assert (change.session.revision, change.cause) == (2, "late-start")


def test_one_number_with_two_payloads_keeps_both_e05() -> None:
    """E05: the second is no repeat; it is flagged, and itself recognised when it comes again."""
    story = Story()
    story.tell(started(seq=0))
    story.tell(metered(10, 2000, seq=1))

    change = story.tell(metered(11, 2100, seq=1), at(11))
    assert change.message is not None
    assert change.message.key.startswith("1#")
    assert change.session.flags == (Flag.SEQ_CONFLICT,)
    assert change.session.energy_wh == 1100

    assert story.tell(metered(11, 2100, seq=1), at(12)).is_repeat
    assert story.tell(metered(10, 2000, seq=1), at(12)).is_repeat


def test_numbers_may_start_anywhere_e06() -> None:
    """E06: a counter of the EVSE goes on over its transactions."""
    session = told(started(seq=57), metered(10, 2000, seq=58), ended(30, 3000, seq=59))

    assert session.flags == ()


def test_numbers_may_start_anew_after_a_boot_e06() -> None:
    """E06, E13: the same session resumed, counting from 0 again."""
    story = Story()
    story.tell(started(seq=0))
    story.tell(metered(10, 2000, seq=1))
    boot = suspect(story.now, Evidence.BOOT, at(20), at(20))
    assert boot is not None
    story.keep(boot)

    change = story.tell(metered(25, 2200, seq=0), at(25))
    assert change.message is not None
    assert (change.message.key, change.session.state) == ("1.0", ACTIVE)
    assert story.tell(metered(25, 2200, seq=0), at(26)).is_repeat

    change = story.tell(ended(30, 3000, seq=1))
    assert (change.session.energy_wh, change.session.flags) == (2000, ())


def test_numbers_below_a_known_start_are_a_restart_e06() -> None:
    """E06: even when nobody saw the boot; no gap of 56 numbers comes of it."""
    story = Story()
    story.tell(started(seq=57))
    story.tell(metered(10, 2000, seq=58))

    change = story.tell(metered(20, 2500, seq=0))

    assert change.message is not None
    assert (change.message.key, change.session.flags, change.session.energy_wh) == ("1.0", (), 1500)


def test_a_long_offline_replay_is_exact_e07() -> None:
    """E07: 500 events, once each, though all arrive together (and one twice)."""
    story = Story()
    story.tell(started(seq=0, wh=0, offline=True), T0 + 24 * HOUR)
    for n in range(1, 500):
        story.tell(metered(n, 10 * n, seq=n, offline=True), T0 + 24 * HOUR)
        if n == 300:
            story.tell(metered(n, 10 * n, seq=n, offline=True), T0 + 24 * HOUR)
    change = story.tell(ended(500, 5000, seq=500, offline=True), T0 + 24 * HOUR)

    assert (change.session.energy_wh, change.session.flags) == (5000, ())
    assert len(story.readings) == 501


def test_a_reused_transaction_id_is_another_session_e08() -> None:
    """E08: next year's TX-1 has a key of its own and says so."""
    later = started(60 * 24 * 300, seq=0, wh=9000)
    change = begun(later, is_reuse=True)

    assert change.session.start_key != begun(started(seq=0)).session.start_key
    assert change.session.flags == (Flag.TRANSACTION_ID_REUSED,)


def test_place_and_token_are_said_once_e09() -> None:
    """E09: only one event names them, not always the first; the earliest token is the starter's."""
    plug = replace(started(seq=0), token=None, evse=None, connector=None)
    story = Story()
    story.tell(plug, verdict=replace(ACCEPTED, status=TokenStatus.NOT_PRESENTED))
    assert (story.now.evse, story.now.token, story.now.authorization) == (0, "", TokenStatus.NOT_PRESENTED)

    story.tell(metered(2, seq=2, token=PresentedToken("Late"), evse=2, connector=1))
    story.tell(metered(1, seq=1, token=PresentedToken("First")), at(3))
    story.tell(metered(4, seq=3, token=PresentedToken("Other")))

    assert (story.now.evse, story.now.connector, story.now.token) == (2, 1, "First")
    assert (story.now.authorization, story.now.flags) == (TokenStatus.ACCEPTED, ())


def test_a_late_event_does_not_set_the_charging_state_back() -> None:
    """The newest number tells how it is now."""
    story = Story()
    story.tell(started(seq=0, charging_state="ev-connected"))
    story.tell(metered(10, seq=2, charging_state="suspended-ev"))
    story.tell(metered(5, seq=1, charging_state="charging"), at(12))

    assert story.now.charging_state == "suspended-ev"


def test_closing_values_after_the_stop_count_and_later_ones_do_not() -> None:
    """Ocular sends them seconds after; EN+ goes on with the old id into the next session."""
    story = Story()
    story.tell(started(seq=0, wh=1000))
    story.tell(ended(30, seq=1))

    assert story.tell(metered(31, 3000, seq=2)).session.energy_wh == 2000
    assert story.tell(metered(90, 8000, seq=3)).session.energy_wh == 2000


def test_hours_are_due_when_a_reading_enters_another_one() -> None:
    """Totals are recomputed when there is something to recompute, in the operator's hours."""
    india = replace(STATION, time_zone="Asia/Kolkata")  # 10:00 UTC is 15:30
    story = Story(india)
    assert story.tell(started()).hours_due
    assert story.tell(metered(5, 1100)).hours_due
    assert not story.tell(metered(25, 1500)).hours_due
    assert story.tell(metered(31, 1600)).hours_due
    assert not story.tell(metered(61, 1700)).hours_due
    assert story.tell(metered(30, 1590), at(62)).hours_due


def test_readings_that_are_needed_are_asked_for() -> None:
    """A late event without the session's history would give a wrong figure: it is refused."""
    session = told(started(), metered(20, 2000))

    with pytest.raises(ValueError, match="needs_history"):
        apply(session, metered(10, 1500), station=STATION, arrived=at(30), message=MessageInfo("1", "x"))


@pytest.mark.parametrize("seq", [None, 2])
def test_the_short_way_of_plain_readings_is_the_long_one(seq: int | None) -> None:
    """Nearly all messages take it; it must not differ in anything."""
    first = None if seq is None else 0
    session = told(started(seq=first), metered(10, 2000, seq=None if seq is None else 1))
    event = metered(20, 2500, seq=seq, charging_state="charging")
    message = MessageInfo("1", "x")
    assert _is_plain(session, event, at(20))

    short = apply(session, event, station=STATION, arrived=at(20), message=message)
    long = _applied(session, session, event, _Delivery(STATION, at(20), message, None, None))

    assert short == long


def test_evolve_changes_what_it_is_told_and_nothing_else() -> None:
    """Like dataclasses.replace."""
    session = told(started())

    assert evolve(session, energy_wh=5, token="B") == session._replace(energy_wh=5, token="B")
