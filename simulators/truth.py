"""What a fleet truly did, made from its journal alone. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from simulators.facts import moment
from simulators.misbehaviours import Judged

Record = dict[str, Any]


@dataclass(slots=True)
class TrueSession:
    """One charging session as its station lived it. Energies in Wh."""

    station: str
    key: str
    version: str
    judged: Judged
    token: str = ""
    evse: int = 0
    started_at: datetime | None = None
    ended_at: datetime | None = None
    meter_start_wh: int = 0
    meter_stop_wh: int | None = None
    transaction_id: str | None = None
    stop: str = ""
    """Why it ended (`facts.Stop`)."""
    open: set[int] = field(default_factory=set)
    """Sequence numbers of messages that were sent and never acknowledged."""
    readings: dict[int, int] = field(default_factory=dict)
    """Values in each acknowledged message."""

    @property
    def energy_wh(self) -> int | None:
        """What the car took, by the station's register."""
        return None if self.meter_stop_wh is None else self.meter_stop_wh - self.meter_start_wh

    @property
    def readings_count(self) -> int:
        """How many values were acknowledged."""
        return sum(self.readings.values())

    @property
    def complete(self) -> bool:
        """Whether the session ended and every message of it was acknowledged."""
        return self.ended_at is not None and not self.open


@dataclass(slots=True)
class Truth:
    """Every session of every station that took part."""

    sessions: list[TrueSession]
    stations: dict[str, Judged]


def from_journal(records: Iterable[Record]) -> Truth:
    """Read the records in the order in which they were written."""
    stations: dict[str, tuple[str, Judged]] = {}
    sessions: dict[str, TrueSession] = {}
    calls: dict[tuple[str, str], Record] = {}
    for record in records:
        match record["op"]:
            case "station":
                stations[record["station"]] = (record["version"], Judged(record["judged"]))
            case "call" if "session" in record:
                calls[record["station"], record["id"]] = record
                version, judged = stations[record["station"]]
                empty = TrueSession(record["station"], record["session"], version, judged)
                _happened(sessions.setdefault(record["session"], empty), record)
            case "ok":
                call = calls.get((record["station"], record["id"]))
                if call is not None:
                    _acknowledged(sessions[call["session"]], call, record)
    return Truth(list(sessions.values()), {name: judged for name, (_, judged) in stations.items()})


def _happened(session: TrueSession, call: Record) -> None:
    if call["seq"] not in session.readings:
        session.open.add(call["seq"])
    if call["kind"] == "began":
        session.token, session.evse = call["token"], call["evse"]
        session.started_at, session.meter_start_wh = moment(call["at"]), call["wh"]
        if session.version != "1.6":
            session.transaction_id = session.key
    elif call["kind"] == "finished":
        session.ended_at, session.meter_stop_wh = moment(call["at"]), call["wh"]
        session.stop = call["stop"]


def _acknowledged(session: TrueSession, call: Record, answer: Record) -> None:
    session.open.discard(call["seq"])
    session.readings[call["seq"]] = call["readings"]
    if call["kind"] == "began" and "transaction_id" in answer:
        session.transaction_id = str(answer["transaction_id"])
