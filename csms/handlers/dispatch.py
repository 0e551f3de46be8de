"""One event in, one answer out: handler, one awaited commit, answer. The way of every message.

The answer is encoded before the commit, because it is stored with its cause; it is returned after it.
"""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, NamedTuple

from csms.domain import events
from csms.domain.assets import BootStatus, ChargingStation, ConnectorStatus, OcppVersion
from csms.domain.commands import Command
from csms.errors import StoreUnavailable
from csms.handlers import (
    authorization,
    availability,
    diagnostics,
    doubts,
    owed,
    provisioning,
    transactions,
)
from csms.handlers.context import Handled, MessageInfo, Services, StationState
from csms.protocol import DIALECTS
from csms.protocol.schema import encode
from csms.store.change_rows import Kind, of_station
from csms.store.message_codec import NOT_SENT, Sent
from csms.store.records import Record, SessionMessageRow, StationEventRow
from csms.store.session_codec import records_of
from csms.store.times import micros
from csms.store.writer import AlreadyStored, Write

Handler = Callable[[Services, StationState, Any, MessageInfo], Awaitable[Handled]]

# Most common first is of no matter here: a dict finds each alike.
HANDLERS: dict[type, Handler] = {
    events.StationBooted: provisioning.on_booted,
    events.StationAlive: provisioning.on_alive,
    events.VariablesReported: provisioning.on_variables_reported,
    events.TokenPresented: authorization.on_token_presented,
    events.ConnectorStatusChanged: availability.on_connector_status,
    events.SessionStarted: transactions.on_session_started,
    events.SessionMetered: transactions.on_session_metered,
    events.SessionEnded: transactions.on_session_ended,
    events.MeterSampled: transactions.on_meter_sampled,
    events.DataReceived: diagnostics.on_data,
    events.SecurityEventRaised: diagnostics.on_security_event,
    events.FirmwareStatusChanged: diagnostics.on_firmware_status,
    events.LogStatusChanged: diagnostics.on_log_status,
    events.MonitorEventsReported: diagnostics.on_monitor_events,
}

EMPTY = b"{}"
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.05, 1.0


class Served(NamedTuple):
    """The answer's payload, to be sent now, commands to send after it, and whether a session keeps both."""

    payload: bytes
    follow_ups: tuple[Command, ...]
    is_kept: bool = False


def gate(state: StationState, action: str) -> str | None:
    """Why a station may not send `action` yet, or None. Asked before the payload is looked at.

    B01.FR.10, B02.FR.09, B03.FR.07: a station that is not accepted may only boot. What a 1.6 station
    has to say of transactions is taken all the same: refusing would lose it.
    """
    if state.station.boot_status is BootStatus.ACCEPTED or action == "BootNotification":
        return None
    if state.dialect.version is OcppVersion.V16 and action in state.dialect.transaction_actions:
        return None
    return f"the station is {state.station.boot_status.value}: only BootNotification is accepted"


async def open_station(
    s: Services, station: ChargingStation, version: OcppVersion, epoch: int, remote_address: str
) -> StationState:
    """What a new connection must know of its station, in two reads."""
    state = StationState(station, DIALECTS[version], epoch, remote_address)
    state.is_now(station)
    for session in await s.sessions.open_sessions(station.station_id):
        state.remember(session)
    state.connectors.update(await s.devices.connector_states(station.station_id))
    return state


async def serve(s: Services, state: StationState, event: events.Event, info: MessageInfo) -> Served:
    """Handle `event`, commit what it changes, return what to answer.

    Raises StoreUnavailable and StaleEpoch: then nothing may be answered.
    """
    handler = HANDLERS[type(event)]
    try:
        handled = await handler(s, state, event, info)
    except StoreUnavailable:
        handled = await _once_it_answers(s, partial(handler, s, state, event, info))
    # Most common first: what changes no session casts no doubt on one.
    if handled.changes or not state.has_spoken:
        handled = doubts.with_questions(state, handled, info.arrived)
    payload = _payload(state, handled, info)
    records = _records(s, state, handled, payload, info)
    if records:
        try:
            await s.writer.write(Write(state.station.station_id, state.epoch, records))
        except AlreadyStored:
            # Another connection or node stored this start first: its session is ours now.
            await transactions.reload(s, state, event)
            handled = doubts.with_questions(state, await handler(s, state, event, info), info.arrived)
            payload = _payload(state, handled, info)
            records = _records(s, state, handled, payload, info)
            await s.writer.write(Write(state.station.station_id, state.epoch, records))
    _remember(state, handled, info)
    return Served(payload, handled.follow_ups, any(type(one) is SessionMessageRow for one in records))


async def _once_it_answers(s: Services, look: Callable[[], Awaitable[Handled]]) -> Handled:
    """Look things up again and again through an outage, as long as the writer would hold its commit."""
    loop = asyncio.get_running_loop()
    give_up_at, pause = loop.time() + s.settings.database.hold_s, FIRST_PAUSE_S
    while True:
        await asyncio.sleep(pause)
        try:
            return await look()
        except StoreUnavailable:
            left = give_up_at - loop.time()
            if left <= 0:
                s.writer.give_up()
            if not s.writer.healthy:
                raise
            pause = min(2 * pause, LONGEST_PAUSE_S, left)


async def note_connected(s: Services, state: StationState) -> None:
    """Keep when, from where and in which version a station came."""
    await _note_link(
        s, state, "connected", {"version": state.dialect.version.value, "address": state.remote_address}
    )


async def note_disconnected(s: Services, state: StationState, code: int, reason: str) -> None:
    """Keep when and why a station went; city platforms see its connectors off-line."""
    await _note_link(s, state, "disconnected", {"code": code, "reason": reason})


async def _note_link(s: Services, state: StationState, kind: str, details: dict[str, object]) -> None:
    now = s.now()
    records: list[Record] = [StationEventRow.of(state.station.station_id, kind, now, now, details)]
    if kind == "disconnected":
        for place in state.connectors:
            records += owed.connector_status(s, state.station, place, ConnectorStatus.OFFLINE, now)
    else:
        for place, (status, _) in state.connectors.items():
            records += owed.connector_status(s, state.station, place, status, now)
    told = Kind.STATION_DISCONNECTED if kind == "disconnected" else Kind.STATION_CONNECTED
    records.append(of_station(told, state.station, micros(now), details))
    await s.writer.write(Write(state.station.station_id, state.epoch, records))


def _payload(state: StationState, handled: Handled, info: MessageInfo) -> bytes:
    if handled.replay is not None:
        return handled.replay.encode()
    reply = state.dialect.reply(info.action, handled.answer)
    return encode(reply) if reply else EMPTY


def _records(
    s: Services, state: StationState, handled: Handled, payload: bytes, info: MessageInfo
) -> list[Record]:
    records: list[Record] = list(handled.records)
    # An empty answer can be given again from nothing; only one that says something is stored.
    answer = (
        payload.decode() if payload != EMPTY and info.action in state.dialect.transaction_actions else None
    )
    for n, change in enumerate(handled.changes):
        before = state.recall(change.session.transaction_id)
        sent = Sent(info.action, info.request, answer) if n == 0 else NOT_SENT
        records += records_of(change, state.station, before, sent)
    return records


def _remember(state: StationState, handled: Handled, info: MessageInfo) -> None:
    # The first last: when a transaction id is used again, memory must hold its new session.
    for change in reversed(handled.changes):
        state.remember(change.session)
    if handled.station is not None:
        state.is_now(handled.station)
    if handled.connector is not None:
        place, known = handled.connector
        state.connectors[place] = known
    if handled.progress is not None:
        kind, progress = handled.progress
        state.progress[kind] = progress
    if handled.booted:
        state.booted_at = info.arrived
    state.has_spoken = True
