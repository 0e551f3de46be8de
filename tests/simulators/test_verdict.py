"""The oracle itself: equal histories pass, and each way to differ is named."""

from datetime import timedelta
from typing import Any

import pytest

from simulators.facts import stamp
from simulators.misbehaviours import Judged
from simulators.truth import TrueSession, Truth
from simulators.verdict import Row, compare, count_readings, sample
from tests.simulators.talk import T0


def true(number: int, **more: Any) -> TrueSession:
    """One of the fleet's sessions."""
    fields: dict[str, Any] = {
        "station": f"S{number}",
        "key": f"k{number}",
        "version": "2.1",
        "judged": Judged.READINGS,
        "token": "T",
        "evse": 1,
        "started_at": T0,
        "ended_at": T0 + timedelta(minutes=number),
        "meter_start_wh": 100,
        "meter_stop_wh": 100 + number,
        "transaction_id": f"k{number}",
        "readings": {0: 1, 1: 8},
    }
    return TrueSession(**(fields | more))


def row(number: int, **more: Any) -> Row:
    """What a perfect history says of it."""
    fields = {
        "session_id": f"id{number}",
        "charging_station": f"S{number}",
        "transaction_id": f"k{number}",
        "id_token": "T",
        "evse": 1,
        "state": "ended",
        "started_at": stamp(T0),
        "ended_at": stamp(T0 + timedelta(minutes=number)),
        "energy_wh": number,
    }
    return fields | more


def truth(*sessions: TrueSession) -> Truth:
    """A truth of stations S1 to S3."""
    judged = {session.station: session.judged for session in sessions}
    return Truth(
        list(sessions), {"S1": Judged.READINGS, "S2": Judged.READINGS, "S3": Judged.READINGS} | judged
    )


def test_equal_histories_pass() -> None:
    """Everything is counted, nothing differs."""
    verdict = compare(truth(true(1), true(2)), [row(2), row(1)])
    assert verdict.holds
    assert (verdict.sessions, verdict.energy_wh) == (2, 3)


@pytest.mark.parametrize(
    ("history", "what"),
    [
        ([row(1)], ["times in history"]),
        ([row(1), row(2), row(2, session_id="again")], ["times in history"]),
        ([row(1), row(2), row(3)], ["session that nobody had"]),
        ([row(1), row(2, energy_wh=3)], ["energy_wh"]),
        ([row(1), row(2, energy_wh=None)], ["energy_wh"]),
        ([row(1), row(2, started_at="2026-01-01T10:00:00.001Z")], ["started_at"]),
        ([row(1), row(2, ended_at=None, state="active")], ["ended_at", "state"]),
        ([row(1), row(2, id_token="U")], ["id_token"]),
        ([row(1), row(2, evse=2)], ["evse"]),
        ([row(1), row(2, transaction_id="other")], ["times in history", "session that nobody had"]),
        ([row(1), row(2, charging_station="S1")], ["times in history", "session that nobody had"]),
    ],
)
def test_each_difference_is_named(history: list[Row], what: list[str]) -> None:
    """Missing, doubled, invented, and every field."""
    verdict = compare(truth(true(1), true(2)), history)
    assert [one.what for one in verdict.differences] == what


def test_unacknowledged_sessions_fail() -> None:
    """A session with an open message cannot pass, even if history has it."""
    verdict = compare(truth(true(1, open={3})), [row(1)])
    assert [(one.what, one.found) for one in verdict.differences] == [
        ("acknowledged", "1 messages without answer")
    ]


def test_a_system_that_lets_nobody_charge_does_not_pass() -> None:
    """Fewer sessions than wanted, or sessions whose token was refused, are differences."""
    begun = truth(true(1), true(2, stop="deauthorized"))
    verdict = compare(begun, [row(1), row(2)], planned=1)
    assert [(one.station, one.what) for one in verdict.differences] == [
        ("S3", "sessions that could begin"),
        ("S2", "token let in"),
    ]


def test_misbehaving_stations_are_judged_by_what_can_be_known() -> None:
    """PRESENT forgives fields and extras, but not absence."""
    here = truth(true(1, judged=Judged.PRESENT))
    assert compare(here, [row(1, energy_wh=-1), row(1, transaction_id="orphan")]).holds
    assert not compare(here, []).holds
    session = truth(true(1, judged=Judged.SESSION))
    assert not compare(session, [row(1, energy_wh=-1)]).holds


def test_readings_are_counted_on_a_seeded_sample() -> None:
    """The same seed samples the same sessions; too few or too many readings differ."""
    known = truth(true(1), true(2), true(3, judged=Judged.SESSION))
    history = [row(1), row(2), row(3)]
    chosen = sample(known, history, seed=1, most=5)
    assert chosen == sample(known, history, seed=1, most=5)
    assert {name for _, name in chosen} == {"id1", "id2"}

    verdict = compare(known, history)
    count_readings(verdict, [(true(1), 9), (true(2), 8)])

    assert [(one.session, one.truth, one.found) for one in verdict.differences] == [("k2", "9", "8")]
