"""A connector's state over time: what was told, when it can be believed, and that no minute is lost."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from csms.domain.assets import ConnectorStatus as S
from csms.domain.timeline import (
    Evidence,
    Link,
    Span,
    Step,
    Told,
    Usage,
    Use,
    common,
    pieces,
    records,
    service,
    spells,
    timeline,
    union,
    usage,
)

T0 = datetime(2026, 1, 5, tzinfo=UTC)


def at(minute: float) -> datetime:
    """So many minutes after T0."""
    return T0 + timedelta(minutes=minute)


def span(start: float, end: float) -> Span:
    """In minutes after T0."""
    return Span(at(start), at(end))


def told(minute: float, status: S, arrived: float | None = None) -> Told:
    """A status; heard of at once unless said otherwise."""
    return Told(at(minute), status, at(minute if arrived is None else arrived))


def seen(evidence: Evidence, start: float = 0, end: float = 60) -> list[tuple[str, float]]:
    """States and how many minutes each lasted."""
    return [
        (use.value, part.length / timedelta(minutes=1))
        for use, part in pieces(timeline(evidence), span(start, end))
    ]


UP = Link(at(0), True)


def test_states_last_until_the_next() -> None:
    """Preparing, suspended and finishing are occupied; unavailable is a fault."""
    statuses = (S.PREPARING, S.CHARGING, S.SUSPENDED_EV, S.AVAILABLE, S.RESERVED, S.UNAVAILABLE)
    evidence = Evidence([told(10 * n, status) for n, status in enumerate(statuses)], links=[UP])

    assert seen(evidence) == [
        ("occupied", 10),
        ("charging", 10),
        ("occupied", 10),
        ("free", 10),
        ("reserved", 10),
        ("fault", 10),
    ]
    ten = timedelta(minutes=10)
    assert usage(timeline(evidence), span(0, 60)) == Usage(ten, 2 * ten, ten, ten, fault=ten)


def test_unknown_before_the_first_event() -> None:
    """Nothing told is nothing known, with a connection or without a word of one."""
    assert seen(Evidence()) == [("unknown", 60)]
    assert seen(Evidence(links=[Link(at(20), True)])) == [("unknown", 60)]
    assert seen(Evidence([told(20, S.AVAILABLE)])) == [("unknown", 20), ("free", 40)]
    assert seen(Evidence([told(20, S.AVAILABLE)], links=[Link(at(10), True)])) == [
        ("unknown", 20),
        ("free", 40),
    ]


def test_a_station_without_connection_is_offline() -> None:
    """Whatever was told before or is told of that time afterwards; the state before goes on at its return."""
    links = [UP, Link(at(20), False), Link(at(40), True)]
    evidence = Evidence([told(0, S.CHARGING), told(50, S.AVAILABLE), told(30, S.FINISHING, 41)], (), links)

    assert seen(evidence) == [("charging", 20), ("offline", 20), ("occupied", 10), ("free", 10)]
    assert seen(Evidence(links=[Link(at(20), False)])) == [("unknown", 20), ("offline", 40)]


def test_a_fault_of_the_station_is_one_of_its_connectors() -> None:
    """EVSE 0 available says nothing of a connector."""
    whole = [told(10, S.FAULTED), told(20, S.AVAILABLE), told(30, S.UNAVAILABLE), told(40, S.AVAILABLE)]

    assert seen(Evidence([told(0, S.AVAILABLE)], whole, [UP])) == [
        ("free", 10),
        ("fault", 10),
        ("free", 10),
        ("fault", 10),
        ("free", 20),
    ]


def test_occupied_with_a_session_charges() -> None:
    """2.x has one word for both; overlapping sessions are no trouble; a fault is a fault."""
    sessions = [span(10, 20), span(15, 30)]
    assert seen(Evidence([told(5, S.OCCUPIED)], (), [UP], sessions)) == [
        ("unknown", 5),
        ("occupied", 5),
        ("charging", 20),
        ("occupied", 30),
    ]
    assert seen(Evidence([told(0, S.FAULTED)], (), [UP], sessions)) == [("fault", 60)]


def test_a_clock_ahead_counts_from_the_arrival() -> None:
    """Nothing has happened before it was told."""
    evidence = Evidence([told(0, S.AVAILABLE), told(40, S.FAULTED, 30), told(35, S.AVAILABLE)], (), [UP])

    assert seen(evidence) == [("free", 30), ("fault", 5), ("free", 25)]


def test_a_clock_set_back_does_not_turn_the_order_around() -> None:
    """While the station was connected nothing can have been kept back: the arrival counts."""
    evidence = Evidence(
        [told(10, S.FAULTED), told(-50, S.AVAILABLE, 30), told(-40, S.CHARGING, 40)], (), [UP]
    )

    assert seen(evidence) == [("unknown", 10), ("fault", 20), ("free", 10), ("charging", 20)]


def test_what_a_station_kept_back_counts_when_it_was() -> None:
    """Told after the return, older than what was told first."""
    links = [UP, Link(at(10), False), Link(at(30), True)]
    evidence = Evidence([told(0, S.AVAILABLE), told(30, S.AVAILABLE), told(8, S.FAULTED, 31)], (), links)

    assert seen(evidence) == [("free", 8), ("fault", 2), ("offline", 20), ("free", 30)]


def test_a_repeated_state_is_no_step() -> None:
    """Two changes at one moment are one step."""
    evidence = Evidence(
        [told(0, S.PREPARING), told(5, S.FINISHING), told(7, S.FAULTED), told(7, S.PREPARING)]
    )

    assert timeline(evidence) == [Step(at(0), Use.OCCUPIED)]


def test_service_begins_with_the_first_status_unless_dated() -> None:
    """Connectors added in mid-month and retired ones."""
    added = Evidence([told(20, S.AVAILABLE)])

    assert service(added, span(0, 60), None, None) == span(20, 60)
    assert service(added, span(0, 60), at(10), at(30)) == span(10, 30)
    assert service(added, span(30, 60), None, at(20)).length == timedelta(0)
    assert service(Evidence(), span(0, 60), None, None).length == timedelta(0)
    assert service(Evidence(), span(0, 60), at(-5), None) == span(0, 60)


def test_spells_and_unions() -> None:
    """Spells that touch are one; overlaps count once."""
    evidence = Evidence([told(10, S.FAULTED), told(40, S.AVAILABLE)], (), [UP, Link(at(20), False)])

    down = spells(timeline(evidence), span(0, 60), (Use.FAULT, Use.OFFLINE))

    assert down == [span(10, 60)]
    assert union([span(3, 5), span(0, 2), span(4, 9), span(7, 7)]) == [span(0, 2), span(3, 9)]
    assert common([span(0, 5), span(3, 8)], [span(4, 6), span(5, 20)]) == timedelta(minutes=4)
    assert pieces([], span(5, 5)) == []


def test_records_are_what_a_platform_is_sent() -> None:
    """Each status told, and one for each change of the connection: the state that goes on at a return."""
    links = [Link(at(-1), True), Link(at(20), False), Link(at(30), True)]
    evidence = Evidence([told(0, S.AVAILABLE), told(10, S.FAULTED), told(40, S.AVAILABLE)], (), links)

    found = records(evidence, timeline(evidence))

    assert [((when - T0) / timedelta(minutes=1), fault) for when, fault in found] == [
        (-1, False),
        (0, False),
        (10, True),
        (20, False),
        (30, True),
        (40, False),
    ]


moments = st.integers(-30, 90)
tolds = st.lists(st.builds(told, moments, st.sampled_from(S), moments), max_size=12)
evidences = st.builds(
    Evidence,
    tolds,
    tolds,
    st.lists(st.builds(lambda m, up: Link(at(m), up), moments, st.booleans()), max_size=8),
    st.lists(st.builds(span, moments, moments), max_size=4),
)


@given(evidences, moments, moments, moments)
def test_no_minute_is_lost_and_windows_add(evidence: Evidence, one: int, two: int, three: int) -> None:
    """All states add up to the window; two windows that touch are their sum; steps differ."""
    start, middle, end = sorted((one, two, three))
    steps = timeline(evidence)

    whole = usage(steps, span(start, end))

    assert whole.total == timedelta(minutes=end - start)
    assert usage(steps, span(start, middle)).plus(usage(steps, span(middle, end))) == whole
    assert all(before.at < after.at and before.use is not after.use for before, after in pairwise(steps))
    down = (Use.FAULT, Use.OFFLINE)
    lengths = sum((part.length for part in spells(steps, span(start, end), down)), timedelta(0))
    assert lengths == whole.fault + whole.offline


@given(tolds, moments, moments)
def test_what_comes_after_a_window_changes_nothing_in_it(told_by: list[Told], one: int, two: int) -> None:
    """A status from its end on."""
    start, end = sorted((one, two))
    later = Told(at(90), S.FAULTED, at(91))

    before = usage(timeline(Evidence(told_by)), span(start, end))

    assert usage(timeline(Evidence([*told_by, later])), span(start, end)) == before
