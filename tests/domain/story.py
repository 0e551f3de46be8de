"""One session told message by message, with the memory a handler would fetch. No test in here."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from csms.domain import session as rules
from csms.domain.assets import ChargingStation, TokenStatus, TokenVerdict
from csms.domain.events import PresentedToken, SessionEnded, SessionMetered, SessionStarted
from csms.domain.meter import ENERGY_IMPORT_REGISTER, Reading
from csms.domain.session import Change, ChargingSession, MessageInfo

T0 = datetime(2026, 1, 1, 10, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
STATION = ChargingStation(7, "CS-1", operator_code="123456789", site_code="S01", max_power_w=60_000)
ACCEPTED = TokenVerdict(TokenStatus.ACCEPTED)
BLOCKED = TokenVerdict(TokenStatus.BLOCKED, "the token is blocked")
A1 = PresentedToken("A1", "ISO14443")

Event = SessionStarted | SessionMetered | SessionEnded


def at(minutes: float) -> datetime:
    """So many minutes after T0."""
    return T0 + timedelta(minutes=minutes)


def register(minutes: float, wh: float, context: str = "", **other: Any) -> Reading:
    """The energy register at a time."""
    return Reading(at(minutes), ENERGY_IMPORT_REGISTER, round(wh * 1000), context=context, **other)


def started(
    minutes: float = 0, *, seq: int | None = None, wh: int | None = 1000, **other: Any
) -> SessionStarted:
    """A start: 2.x with a sequence number, 1.6 without."""
    is_v16 = seq is None
    fields: dict[str, Any] = {
        "transaction_id": None if is_v16 else "TX-1",
        "at": at(minutes),
        "evse": 1,
        "connector": 1,
        "token": A1,
        "seq_no": seq,
        "meter_start_wh": wh if is_v16 else None,
        "readings": () if is_v16 or wh is None else (register(minutes, wh, "transaction.begin"),),
    }
    return SessionStarted(**(fields | other))


def metered(
    minutes: float, wh: float | None = None, *, seq: int | None = None, **other: Any
) -> SessionMetered:
    """A reading (or none) in the midst of a session."""
    fields: dict[str, Any] = {
        "transaction_id": "TX-1",
        "at": at(minutes),
        "evse": None,
        "seq_no": seq,
        "readings": () if wh is None else (register(minutes, wh),),
    }
    return SessionMetered(**(fields | other))


def ended(minutes: float, wh: int | None = None, *, seq: int | None = None, **other: Any) -> SessionEnded:
    """A stop."""
    is_v16 = seq is None
    fields: dict[str, Any] = {
        "transaction_id": "TX-1",
        "at": at(minutes),
        "seq_no": seq,
        "meter_stop_wh": wh if is_v16 else None,
        "readings": () if is_v16 or wh is None else (register(minutes, wh, "transaction.end"),),
    }
    return SessionEnded(**(fields | other))


def begun(event: Event, **other: Any) -> Change:
    """A session that `event` begins."""
    fields: dict[str, Any] = {
        "station": STATION,
        "session_id": 1,
        "transaction_id": "TX-1",
        "version": "ocpp1.6" if event.seq_no is None else "ocpp2.0.1",
        "verdict": ACCEPTED,
        "arrived": event.at or T0,
        "message": message_of(event),
    }
    return rules.begin(event, **(fields | other))


def message_of(event: Event) -> MessageInfo:
    """A message whose payload hash follows from what it says, as a real one's does."""
    return MessageInfo("m", f"{hash(event) & 0xFFFFFFFFFFFFFFFF:016x}")


@dataclass
class Story:
    """A session and what a store keeps beside it; `tell` does for a message what a handler does."""

    station: ChargingStation = STATION
    session: ChargingSession | None = None
    hashes: dict[str, str] = field(default_factory=dict)
    readings: list[Reading] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)

    def tell(self, event: Event, arrived: datetime | None = None, verdict: TokenVerdict = ACCEPTED) -> Change:
        """Begin or apply, and keep what came of it."""
        arrived = arrived or event.at or T0
        message = message_of(event)
        if self.session is None:
            change = begun(event, station=self.station, arrived=arrived, verdict=verdict)
        else:
            key = rules.is_known(self.session, event, message)
            history = self.readings if rules.needs_history(self.session, event) else None
            change = rules.apply(
                self.session,
                event,
                station=self.station,
                arrived=arrived,
                message=message,
                verdict=verdict,
                history=list(history) if history is not None else None,
                stored_hash=self.hashes.get(key) if key is not None else None,
            )
        return self.keep(change)

    def keep(self, change: Change) -> Change:
        """What a store does with a change."""
        self.changes.append(change)
        if change.is_repeat:
            assert change.session == self.session
            return change
        self.session = change.session
        self.readings.extend(change.readings)
        if change.message is not None:
            self.hashes.setdefault(change.message.key, change.message.payload_hash)
        return change

    @property
    def now(self) -> ChargingSession:
        """The session as it stands."""
        assert self.session is not None
        return self.session


def told(*events: Event, station: ChargingStation = STATION) -> ChargingSession:
    """The session that these events make, each arriving when it happened (but never before the last)."""
    story, clock = Story(station), T0
    for event in events:
        clock = max(clock, event.at or clock)
        story.tell(event, clock)
    return story.now


def essence(session: ChargingSession) -> dict[str, Any]:
    """What must not depend on the order in which messages came."""
    late = {rules.Flag.LATE_DATA}
    return {
        "state": session.state,
        "start": session.started_at,
        "end": session.ended_at,
        "energy_wh": session.energy_wh,
        "source": session.energy_source,
        "meter": session.meter,
        "registers": (session.meter_start_wh, session.meter_stop_wh),
        "token": session.token,
        "place": (session.evse, session.connector),
        "missing": set(session.sequence.missing),
        "highest": session.sequence.highest,
        "flags": set(session.flags) - late,
        "reason": session.stop_reason,
        "last": session.last_event_at,
    }
