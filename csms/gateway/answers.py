"""What the messages of one connection are answered. Knows OCPP-J and the desk; not whose turn it is.

An answer leaves after the commit, never before; when nothing can be committed nothing is answered, and the
station keeps what it has to say.
"""

import asyncio
from datetime import datetime
from math import inf
from time import perf_counter
from typing import Protocol

import structlog

from csms.domain.charging_session import payload_hash
from csms.domain.commands import Command
from csms.errors import StaleEpoch, StoreUnavailable
from csms.gateway.calls import Calls
from csms.gateway.checks import refuse_early
from csms.gateway.desk import Answered, Exchange, Parts, Refused
from csms.gateway.reading import Reading
from csms.gateway.wire import Wire
from csms.handlers.context import MessageInfo, StationState
from csms.protocol.frames import Call, Send
from csms.protocol.rpc import BadFrame, Incoming, Repeat, Reply, ReplyError, ReplyNotice, Rpc, Stray

log = structlog.get_logger()

POLICY, TRY_AGAIN_LATER = 1008, 1013
TAKEN_OVER = 4001  # a newer connection of the station is open
MINUTE_S = 60.0
DEVIATIONS_PER_MESSAGE = 2
EMPTY = b"{}"


class Owner(Protocol):
    """The connection whose messages these are."""

    is_done: bool
    """Whether nothing may be sent any more."""
    calls: Calls | None
    """What we have asked the station."""

    def end(self, code: int, reason: str) -> None:
        """Close, handle nothing more and answer nothing more."""

    def follow_up(self, command: Command) -> None:
        """Tell the station something of our own accord."""


class Answers:
    """Makes the answers of one connection, and keeps count of what its station does wrong."""

    __slots__ = (
        "_breach_since",
        "_breaches",
        "_clock",
        "_deviations",
        "_owner",
        "_parts",
        "_reading",
        "_rpc",
        "_state",
        "_wire",
    )

    def __init__(
        self, owner: Owner, parts: Parts, state: StationState, wire: Wire, rpc: Rpc, reading: Reading
    ) -> None:
        """Made within the running loop."""
        self._owner = owner
        self._parts = parts
        self._state = state
        self._wire = wire
        self._rpc = rpc
        self._reading = reading
        self._clock = asyncio.get_running_loop().time
        self._breaches = self._deviations = 0
        self._breach_since = -inf

    def receive(self, frame: bytes) -> Incoming | None:
        """What a frame means; None: it cannot be used, and was dealt with."""
        try:
            return self._rpc.receive(frame)
        except BadFrame as bad:
            self._breached(bad, frame)
            return None

    def answer_reading(self, call: Call, since: float) -> None:
        """The reading of this call, which came at `since`, is stored."""
        if self._owner.is_done:
            self._rpc.forget(call.message_id)
            return
        self._wire.send(self._rpc.answer(call.message_id, EMPTY))
        self._parts.stats.answered(call.action, self._clock() - since)

    async def called(self, call: Call, size: int) -> None:
        """A request: gate, read, serve, commit, answer, follow up."""
        started = perf_counter()
        state, desk = self._state, self._parts.desk
        try:
            refuse_early(self._parts, state, call.action, size)
            event = desk.read(state, call.action, call.payload)
            if state.deviations != self._deviations:
                self._charge(state.deviations)
            info = self._info(call)
            served = await desk.serve(state, event, info)
        except Refused as refused:
            self._refuse(call, refused.code, refused.description)
        except (StoreUnavailable, StaleEpoch) as exc:
            self.leave_unanswered(call.message_id, exc)
        except Exception:
            log.exception("handler_failed", station=self._state.station.identity, action=call.action)
            self._parts.stats.messages[call.action, "failed"] += 1
            self._refuse(call, state.dialect.errors.internal, "internal error")
        else:
            if self._owner.is_done:
                self._rpc.forget(call.message_id)
                return
            self._wire.send(self._rpc.answer(call.message_id, served.payload))
            self._answered(call, info, served, perf_counter() - started)
            self._follow_up(served)

    async def told(self, send: Send, size: int) -> None:
        """2.1 SEND: handled like a request, and never answered (part 4, 4.2.4)."""
        state, desk = self._state, self._parts.desk
        try:
            refuse_early(self._parts, state, send.action, size)
            event = desk.read(state, send.action, send.payload)
            served = await desk.serve(state, event, self._info(send))
        except Refused as refused:
            self._log_exchange(send, desk.now(), None, refused.code)
        except (StoreUnavailable, StaleEpoch) as exc:
            self.leave_unanswered(send.message_id, exc)
        except Exception:
            log.exception("handler_failed", station=self._state.station.identity, action=send.action)
        else:
            self._follow_up(served)

    def _follow_up(self, served: Answered) -> None:
        for command in served.follow_ups:
            self._owner.follow_up(command)

    def _charge(self, deviations: int) -> None:
        """Putting a payload right takes the time of messages: it counts against the station's rate."""
        self._reading.count(self._clock(), (deviations - self._deviations) / DEVIATIONS_PER_MESSAGE)
        self._deviations = deviations

    def _info(self, call: Call | Send) -> MessageInfo:
        now = self._parts.desk.now()
        if call.action not in self._state.dialect.transaction_actions:
            return MessageInfo(call.message_id, call.action, "", now)
        request = bytes(call.payload)
        return MessageInfo(call.message_id, call.action, payload_hash(request), now, request)

    def _answered(self, call: Call, info: MessageInfo, served: Answered, seconds: float) -> None:
        self._parts.stats.answered(call.action, seconds)
        if self._parts.keep_log and not served.is_kept:
            self._log_exchange(call, info.arrived, served.payload, "answered", int(seconds * 1e6))
        if self._owner.calls is not None and call.action == "BootNotification":
            self._owner.calls.booted()

    def _refuse(self, call: Call, code: str, description: str) -> None:
        action = call.action if call.action in self._state.dialect.known_actions else "unknown"
        self._parts.stats.messages[action, "refused"] += 1
        frame = self._rpc.refuse(call.message_id, code, description)
        if self._owner.is_done:
            return
        self._wire.send(frame)
        self._log_exchange(call, self._parts.desk.now(), frame, code)

    def leave_unanswered(self, message_id: str, exc: StoreUnavailable | StaleEpoch) -> None:
        """Nothing can be stored, so nothing is answered: the station keeps the message, or a newer
        connection has it."""
        self._rpc.forget(message_id)
        if isinstance(exc, StaleEpoch):
            self._owner.end(TAKEN_OVER, "a newer connection is open")
            return
        log.warning("message_left_unanswered", station=self._state.station.identity, error=str(exc))
        self._owner.end(TRY_AGAIN_LATER, "cannot store now")

    def other(self, message: Incoming, frame: bytes) -> None:
        """A reply, a repeat, or nothing to be done about."""
        if isinstance(message, Reply | ReplyError):
            if self._owner.calls is not None:
                self._owner.calls.replied(message)
        elif isinstance(message, Repeat):
            self._parts.stats.messages["any", "repeated"] += 1
            if not self._owner.is_done:
                self._wire.send(message.frame)
        elif isinstance(message, Stray):
            if self._owner.calls is None or not self._owner.calls.came_late(message.message_id, frame):
                self._parts.stats.bad_frames["stray"] += 1
        elif isinstance(message, ReplyNotice):
            log.warning(
                "answer_was_refused",
                station=self._state.station.identity,
                error=message.code,
                text=message.description,
            )
        else:
            self._parts.stats.bad_frames["ignored"] += 1

    def _breached(self, bad: BadFrame, frame: bytes) -> None:
        """Answer a frame that cannot be used, and part with a station that sends too many of them."""
        self._parts.stats.bad_frames[bad.code or "unreadable"] += 1
        if self._owner.is_done:
            return
        if bad.answer is not None:
            self._wire.send(bad.answer)
        now = self._clock()
        if now - self._breach_since > MINUTE_S:
            self._breach_since, self._breaches = now, 0
            log.info(
                "frame_refused",
                station=self._state.station.identity,
                error=bad.description,
                frame=repr(frame[:80]),
            )
        self._breaches += 1
        if self._breaches > self._parts.settings.protocol_errors_per_min:
            log.warning("station_broke_protocol", station=self._state.station.identity, errors=self._breaches)
            self._parts.admission.penalize(self._state.station.identity)
            self._owner.end(POLICY, "too many protocol errors")

    def _log_exchange(
        self, call: Call | Send, at: datetime, answer: bytes | None, outcome: str, us: int | None = None
    ) -> None:
        if self._parts.keep_log:
            station_id, asked = self._state.station.station_id, bytes(call.payload)
            self._parts.desk.log(
                Exchange(station_id, at, "in", call.message_id, call.action, asked, answer, outcome, us)
            )
