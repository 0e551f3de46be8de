"""Does the central system's history equal the truth? A pure comparison with what its API tells."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from typing import Any

from simulators.facts import Stop, moment, stamp
from simulators.misbehaviours import Judged
from simulators.truth import TrueSession, Truth

Row = Mapping[str, Any]
"""A session as `GET /api/v1/sessions` tells it."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not as it was: where, what, the truth and what was found instead."""

    station: str
    session: str
    what: str
    truth: str
    found: str


@dataclass(slots=True)
class Verdict:
    """How much was compared, and every difference."""

    sessions: int = 0
    energy_wh: int = 0
    readings_of: int = 0
    readings: int = 0
    judged: Counter[Judged] = field(default_factory=Counter)
    differences: list[Difference] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        """Whether history equals truth."""
        return not self.differences


def compare(truth: Truth, history: Sequence[Row], planned: int | None = None) -> Verdict:
    """Compare everything but the readings. `history` holds only what was not there before the run.

    `planned` is how many sessions each station wanted: a central system that
    lets nobody charge would otherwise have a perfect history.
    """
    verdict = Verdict(judged=Counter(truth.stations.values()))
    by_transaction: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in history:
        by_transaction[row["charging_station"], str(row["transaction_id"])].append(row)
    for session in truth.sessions:
        verdict.sessions += 1
        verdict.energy_wh += session.energy_wh or 0
        found = by_transaction.pop((session.station, session.transaction_id or "-"), [])
        verdict.differences += _of_session(session, found)
    if planned is not None:
        verdict.differences += _prevented(truth, planned)
    for (station, transaction), rows in by_transaction.items():
        if truth.stations.get(station) is Judged.READINGS:
            verdict.differences += [_extra(station, transaction, row) for row in rows]
    return verdict


def sample(truth: Truth, history: Sequence[Row], seed: int, most: int) -> list[tuple[TrueSession, str]]:
    """Some sessions whose readings are worth counting, with the API's id of each."""
    found: dict[tuple[str, str | None], list[str]] = defaultdict(list)
    for row in history:
        found[row["charging_station"], str(row["transaction_id"])].append(row["session_id"])
    eligible = [
        (session, ids[0])
        for session in truth.sessions
        if session.judged is Judged.READINGS
        and len(ids := found.get((session.station, session.transaction_id), [])) == 1
    ]
    return Random(seed).sample(eligible, min(most, len(eligible)))


def count_readings(verdict: Verdict, counted: Iterable[tuple[TrueSession, int]]) -> None:
    """Add what the sampled sessions' readings showed."""
    for session, found in counted:
        verdict.readings_of += 1
        verdict.readings += session.readings_count
        if found != session.readings_count:
            count = str(session.readings_count)
            verdict.differences.append(_difference(session, "readings", count, str(found)))


def _prevented(truth: Truth, planned: int) -> Iterable[Difference]:
    had = Counter(session.station for session in truth.sessions)
    for station, judged in truth.stations.items():
        if judged is Judged.READINGS and had[station] != planned:
            yield Difference(station, "-", "sessions that could begin", str(planned), str(had[station]))
    for session in truth.sessions:
        if session.judged is Judged.READINGS and session.stop == Stop.DEAUTHORIZED:
            yield _difference(session, "token let in", "yes", "no")


def _of_session(session: TrueSession, found: list[Row]) -> list[Difference]:
    differences = []
    if not session.complete:
        waiting = f"{len(session.open)} messages without answer" if session.open else "no end"
        differences.append(_difference(session, "acknowledged", "all of it", waiting))
    if len(found) != 1:
        differences.append(_difference(session, "times in history", "1", str(len(found))))
    if found and session.judged >= Judged.SESSION:
        differences += [
            _difference(session, what, expected, actual)
            for what, expected, actual in _fields(session, found[0])
            if expected != actual
        ]
    return differences


def _fields(session: TrueSession, row: Row) -> Iterable[tuple[str, str, str]]:
    yield "energy_wh", str(session.energy_wh), str(row["energy_wh"])
    yield "started_at", _time(session.started_at), _time(row["started_at"])
    yield "ended_at", _time(session.ended_at), _time(row["ended_at"])
    yield "state", "ended", str(row["state"])
    yield "id_token", session.token, _token(row["id_token"])
    yield "evse", str(session.evse), str(row["evse"])


def _token(value: Any) -> str:
    return str(value["token"]) if isinstance(value, Mapping) else str(value)


def _time(value: datetime | str | None) -> str:
    if value is None:
        return "none"
    return stamp(moment(value) if isinstance(value, str) else value)


def _difference(session: TrueSession, what: str, truth: str, found: str) -> Difference:
    return Difference(session.station, session.transaction_id or session.key, what, truth, found)


def _extra(station: str, transaction: str, row: Row) -> Difference:
    found = f"one of {row['energy_wh']} Wh begun {row['started_at']}"
    return Difference(station, transaction, "session that nobody had", "none", found)
