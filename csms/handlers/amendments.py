"""What is said of sessions: an open one closed by hand, an orphan stop attached or dismissed by people; how
one stands by its own station, when asked.

A station's sessions have one writer: the actor of its connection, wherever that is. So an amendment goes
to it as a command does, and is done between two messages (`amend`). Only a station without a connection is
written by whoever was asked, as the policy's closing is: if the database still holds what the decision was
made from, and the station has not come meanwhile (`Amender`).
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Protocol

import structlog

from csms.domain import orphans
from csms.domain.assets import ChargingStation
from csms.domain.charging_session import STOP, Change, ChargingSession, MessageInfo
from csms.domain.commands import (
    Amendment,
    AttachStop,
    CloseSession,
    DismissStop,
    NoteTransaction,
    Outcome,
    Result,
)
from csms.domain.doubts import stated
from csms.domain.ending import Closing, close_by_hand
from csms.domain.orphans import Decision
from csms.errors import Conflict, CsmsError, InvalidInput, NotFound
from csms.handlers.context import Services, StationState
from csms.store.records import Record
from csms.store.session_codec import records_of
from csms.store.upkeep import UpkeepStore
from csms.store.writer import Write

log = structlog.get_logger()

TRIES, PAUSE_S = 3, 0.2
IN_DOUBT = "the station is on its way in or out; try again"
PROBLEMS: dict[type[CsmsError], str] = {
    Conflict: "conflict",
    InvalidInput: "invalid",
    NotFound: "not-found",
}
"""What a refusal is called in an outcome's payload."""

Recall = Callable[[int], ChargingSession | None]


class Sender(Protocol):
    """Carries a command to a charging station, wherever it is connected."""

    async def send(self, identity: str, command: Amendment, within_s: float) -> Outcome:
        """What came of it; never raises for what a station or node does."""


async def amend(s: Services, state: StationState, order: Amendment) -> Outcome:
    """Do `order` as the station's actor. Raises StoreUnavailable and StaleEpoch: then nothing was changed."""
    known = {one.session_id: one for one in state.sessions.values()}
    try:
        before, changes = await _changes(s, state.station, order, known.get)
    except (Conflict, InvalidInput, NotFound) as exc:
        return _refused(exc)
    records = _records(before, changes, state.station)
    await s.writer.write(Write(state.station.station_id, state.epoch, records))
    for change in changes:
        # One that is neither open nor recent stays out of memory.
        if change.session.session_id in known:
            state.remember(change.session)
    return _done(order, changes)


class Amender:
    """Has an amendment done by whoever may write the station's sessions."""

    def __init__(self, services: Services, sender: Sender, store: UpkeepStore) -> None:
        self._services = services
        self._sender = sender
        self._store = store

    async def carry_out(self, identity: str, order: Amendment) -> Outcome:
        """What came of it: accepted, rejected (with `problem` and `detail`), or failed. Raises
        StoreUnavailable.
        """
        within_s = self._services.settings.gateway.command_expiry_s
        for attempt in range(TRIES):
            if attempt:
                await asyncio.sleep(PAUSE_S)
            outcome = await self._sender.send(identity, order, within_s)
            if outcome.result is not Result.NOT_CONNECTED:
                return outcome
            done = await self._while_away(identity, order)
            if done is not None:
                return done
        return Outcome(Result.FAILED, reason=IN_DOUBT)

    async def _while_away(self, identity: str, order: Amendment) -> Outcome | None:
        """None: the station came meanwhile, or is not gone yet."""
        station = await self._services.registry.station(identity)
        if station is None:
            return _refused(NotFound(f"charging station {identity}"))
        try:
            before, changes = await _changes(self._services, station, order, lambda _: None)
        except (Conflict, InvalidInput, NotFound) as exc:
            return _refused(exc)
        records = _records(before, changes, station)
        is_written = await self._store.replace_all(before, records, while_away=True)
        return _done(order, changes) if is_written else None


async def _changes(
    s: Services, station: ChargingStation, order: Amendment, recall: Recall
) -> tuple[list[ChargingSession], tuple[Change, ...]]:
    """The sessions as they are, and what the order changes of them."""
    match order:
        case CloseSession():
            session = await _session(s, station, order.session_id, recall)
            return [session], (await _closed(s, station, session, order),)
        case AttachStop():
            session = await _session(s, station, order.session_id, recall)
            orphan = await _session(s, station, order.orphan_id, recall)
            return [session, orphan], await _attached(s, station, session, orphan, order)
        case DismissStop():
            orphan = await _session(s, station, order.orphan_id, recall)
            return [orphan], (orphans.dismiss(orphan, _decision(s, order), station=station),)
        case NoteTransaction():
            session = await _of_transaction(s, station, order.transaction_id, recall)
            return [session], (stated(session, order.said, s.now()),)


async def _session(s: Services, station: ChargingStation, session_id: int, recall: Recall) -> ChargingSession:
    """As memory has it, else the store. One that policy may have closed meanwhile is read in any case."""
    session = recall(session_id)
    if session is None or session.suspected_at is not None:
        session = await s.sessions.by_id(session_id)
    if session is None or session.station_id != station.station_id:
        raise NotFound(f"session {session_id} of {station.identity}")
    return session


async def _of_transaction(
    s: Services, station: ChargingStation, transaction_id: str, recall: Recall
) -> ChargingSession:
    """The newest of this id: where an id was used again, a station knows no other."""
    session = await s.sessions.by_transaction(station.station_id, transaction_id)
    if session is None:
        raise NotFound(f"transaction {transaction_id} of {station.identity}")
    return await _session(s, station, session.session_id, recall)


async def _closed(
    s: Services, station: ChargingStation, session: ChargingSession, order: CloseSession
) -> Change:
    closing = Closing(order.by, order.reason, order.ended_at, order.meter_stop_wh)
    history = await s.sessions.readings_of(session)
    return close_by_hand(session, closing, s.now(), station=station, history=history)


async def _attached(
    s: Services,
    station: ChargingStation,
    session: ChargingSession,
    orphan: ChargingSession,
    order: AttachStop,
) -> tuple[Change, ...]:
    stop = await s.sessions.stored_answer(orphan.session_id, STOP)
    return orphans.attach(
        orphan,
        session,
        _decision(s, order),
        station=station,
        # Under the hash of the orphan's own message: the station's retry is a repeat of either.
        stop=MessageInfo("", stop.payload_hash if stop is not None else ""),
        readings=await s.sessions.readings_of(orphan),
        history=await s.sessions.readings_of(session),
    )


def _decision(s: Services, order: AttachStop | DismissStop) -> Decision:
    return Decision(order.by, order.reason, s.now())


def _records(
    before: Sequence[ChargingSession], changes: Sequence[Change], station: ChargingStation
) -> list[Record]:
    return [
        record
        for known, change in zip(before, changes, strict=True)
        for record in records_of(change, station, known)
    ]


def _done(order: Amendment, changes: Sequence[Change]) -> Outcome:
    session = changes[0].session
    log.info(
        "session_amended", session=session.session_id, order=type(order).__name__, revision=session.revision
    )
    return Outcome(Result.ACCEPTED, {"session_id": str(session.session_id), "revision": session.revision})


def _refused(exc: CsmsError) -> Outcome:
    detail = str(exc.args[0])
    return Outcome(Result.REJECTED, {"problem": PROBLEMS[type(exc)], "detail": detail}, detail)
