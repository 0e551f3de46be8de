"""The actor of one charging station: its messages in order, one at a time, and the commands to it.

Knows OCPP-J and the desk, no socket: a `Wire` carries frames, so the same actor serves tests, replays and
stories. A task exists only while there is something to do. An answer leaves after the commit, never
before; when nothing can be committed nothing is answered, and the station keeps what it has to say.
"""

import asyncio
from collections import deque
from collections.abc import Coroutine
from datetime import datetime
from hashlib import blake2b
from math import inf
from time import perf_counter
from typing import Any

import structlog

from csms.domain.commands import Command, Outcome, Result
from csms.errors import StaleEpoch, StoreUnavailable
from csms.gateway.calls import Calls
from csms.gateway.checks import refuse_early
from csms.gateway.desk import Exchange, Parts, Refused
from csms.gateway.reading import TOO_MUCH_WAITS, Reading
from csms.gateway.wire import Wire
from csms.handlers.context import MessageInfo, StationState
from csms.protocol.frames import Call, Send
from csms.protocol.rpc import BadFrame, Incoming, Repeat, Reply, ReplyError, ReplyNotice, Rpc, Stray

log = structlog.get_logger()

POLICY, TRY_AGAIN_LATER = 1008, 1013
TAKEN_OVER = 4001  # a newer connection of the station is open
MINUTE_S = 60.0
DEVIATIONS_PER_MESSAGE = 2

_REPLIES = (b"[3", b"[4")


class Connection:
    """One station's connection. `feed` it frames; `lost` ends it."""

    __slots__ = (
        "_breach_since",
        "_breaches",
        "_calls",
        "_deviations",
        "_is_done",
        "_is_lost",
        "_loop",
        "_queue",
        "_reading",
        "_rpc",
        "_since",
        "_tasks",
        "_worker",
        "busy_since",
        "parts",
        "state",
        "wire",
    )

    def __init__(self, parts: Parts, state: StationState, wire: Wire) -> None:
        """Made when the station is authenticated and its state loaded, within the running loop."""
        self.parts = parts
        self.state = state
        self.wire = wire
        self._loop = asyncio.get_running_loop()
        self._since = self._loop.time()
        self._rpc = Rpc(state.dialect.errors, state.dialect.has_send)
        self._queue: deque[bytes] | None = None
        self._worker: asyncio.Task[None] | None = None
        self._calls: Calls | None = None
        self._tasks: set[asyncio.Task[Any]] | None = None
        settings = parts.settings
        self._reading = Reading(wire, settings.messages_per_s, settings.messages_burst, self._loop)
        self._breaches = self._deviations = 0
        self._breach_since = -inf
        self._is_done = False
        self._is_lost = False
        self.busy_since = 0.0
        """When the message that is being handled was taken up (the loop's clock); 0.0 when none is."""

    @property
    def identity(self) -> str:
        """The station's."""
        return self.state.station.identity

    # What the wire's owner calls.

    def feed(self, frame: bytes) -> None:
        """Take a text frame. Never blocks; the wire is paused when more waits than should."""
        if self._is_done:
            return
        if self._reading.count():
            self.parts.stats.read_pauses += 1
        # A reply must not wait behind a call that waits for a commit: the directions are independent.
        if frame.startswith(_REPLIES):
            self._take(frame)
            return
        self.parts.budget.used += len(frame)
        if self._queue is None:
            self._queue = deque((frame,))
            self._worker = self._loop.create_task(self._work(self._queue))
            return
        self._queue.append(frame)
        if len(self._queue) >= self.parts.settings.max_queued_frames or self.parts.budget.is_over:
            self._reading.pause(TOO_MUCH_WAITS)

    def lost(self) -> None:
        """The wire is gone. What was received is still dealt with: it is stored, only not answered."""
        self._is_lost = True
        if self._calls is not None:
            self._calls.lost()
        self._reading.stop()

    def end(self, code: int, reason: str) -> None:
        """Close, handle nothing more and answer nothing more. The first reason counts."""
        if self._is_done:
            return
        self._is_done = True
        self.wire.close(code, reason)
        if self._calls is not None:
            self._calls.lost()

    def give_up_overdue(self, now: float) -> bool:
        """End a connection whose message takes too long: no answer, the station keeps it."""
        if not self.busy_since or now - self.busy_since < self.parts.handler_limit_s or self._is_done:
            return False
        log.error("message_overran", station=self.identity, seconds=round(now - self.busy_since, 1))
        self.end(TRY_AGAIN_LATER, "cannot store now")
        self.cancel()
        return True

    @property
    def is_busy(self) -> bool:
        """Whether a message is being handled or waits."""
        return self._worker is not None

    def cancel(self) -> None:
        """Stop handling at once; end the connection before."""
        if self._worker is not None:
            self._worker.cancel()

    async def settled(self) -> None:
        """Wait until every message received so far is dealt with."""
        while self._worker is not None or self._tasks:
            await asyncio.wait([*(self._tasks or ()), *([self._worker] if self._worker else [])])

    async def idle(self) -> None:
        """Wait until no message is being handled."""
        while self._worker is not None:
            await asyncio.wait([self._worker])

    async def command(self, command: Command, within_s: float) -> Outcome:
        """Tell the station something; never raises. `within_s` covers waiting and the station's time."""
        if self._is_done or self._is_lost:
            return Outcome(Result.NOT_CONNECTED, reason="the connection is closed")
        if self._calls is None:
            opens_at = self._since + self.parts.quiet_s
            self._calls = Calls(
                self.parts, self.state, self._rpc, send=self.wire.send, hang_up=self.end, opens_at=opens_at
            )
        return await self._calls.command(command, within_s)

    # The messages.

    async def _work(self, queue: deque[bytes]) -> None:
        budget, most = self.parts.budget, self.parts.settings.max_queued_frames
        try:
            while queue and not self._is_done:
                frame = queue.popleft()
                budget.used -= len(frame)
                self.busy_since = self._loop.time()
                message = self._receive(frame)
                # Most common first: stations talk far more than they answer.
                if type(message) is Call:
                    await self._called(message, len(frame))
                elif type(message) is Send:
                    await self._told(message, len(frame))
                elif message is not None:
                    self._other(message, frame)
                if len(queue) * 2 <= most:
                    self._reading.resume(TOO_MUCH_WAITS)
        finally:
            budget.used -= sum(map(len, queue))
            self.busy_since = 0.0
            self._queue = self._worker = None
            self._reading.resume(TOO_MUCH_WAITS)

    def _take(self, frame: bytes) -> None:
        message = self._receive(frame)
        if message is not None:
            self._other(message, frame)

    def _receive(self, frame: bytes) -> Incoming | None:
        try:
            return self._rpc.receive(frame)
        except BadFrame as bad:
            self._breached(bad, frame)
            return None

    async def _called(self, call: Call, size: int) -> None:
        """A request: gate, read, serve, commit, answer, follow up."""
        started = perf_counter()
        state, desk = self.state, self.parts.desk
        try:
            refuse_early(self.parts, state, call.action, size)
            event = desk.read(state, call.action, call.payload)
            if state.deviations != self._deviations:
                self._charge(state.deviations)
            info = self._info(call)
            served = await desk.serve(state, event, info)
        except Refused as refused:
            self._refuse(call, refused.code, refused.description)
        except (StoreUnavailable, StaleEpoch) as exc:
            self._rpc.forget(call.message_id)
            self._leave_unanswered(exc)
        except Exception:
            log.exception("handler_failed", station=self.identity, action=call.action)
            self.parts.stats.messages[call.action, "failed"] += 1
            self._refuse(call, state.dialect.errors.internal, "internal error")
        else:
            if self._is_done:
                self._rpc.forget(call.message_id)
                return
            self.wire.send(self._rpc.answer(call.message_id, served.payload))
            self._answered(call, info, served.payload, perf_counter() - started)
            for command in served.follow_ups:
                self._own(self.command(command, self.parts.settings.command_expiry_s))

    async def _told(self, send: Send, size: int) -> None:
        """2.1 SEND: handled like a request, and never answered (part 4, 4.2.4)."""
        state, desk = self.state, self.parts.desk
        try:
            refuse_early(self.parts, state, send.action, size)
            event = desk.read(state, send.action, send.payload)
            await desk.serve(state, event, self._info(send))
        except Refused as refused:
            self._log_exchange(send, desk.now(), None, refused.code)
        except (StoreUnavailable, StaleEpoch) as exc:
            self._leave_unanswered(exc)
        except Exception:
            log.exception("handler_failed", station=self.identity, action=send.action)

    def _charge(self, deviations: int) -> None:
        """Putting a payload right takes the time of messages: it counts against the station's rate."""
        self._reading.count((deviations - self._deviations) / DEVIATIONS_PER_MESSAGE)
        self._deviations = deviations

    def _info(self, call: Call | Send) -> MessageInfo:
        is_stored = call.action in self.state.dialect.transaction_actions
        payload_hash = blake2b(call.payload, digest_size=16).hexdigest() if is_stored else ""
        return MessageInfo(call.message_id, call.action, payload_hash, self.parts.desk.now())

    def _answered(self, call: Call, info: MessageInfo, payload: bytes, seconds: float) -> None:
        stats = self.parts.stats
        stats.messages[call.action, "answered"] += 1
        stats.observe(seconds)
        if self.parts.keep_log:
            self._log_exchange(call, info.arrived, payload, "answered", int(seconds * 1e6))
        if self._calls is not None and call.action == "BootNotification":
            self._calls.booted()

    def _refuse(self, call: Call, code: str, description: str) -> None:
        action = call.action if call.action in self.state.dialect.known_actions else "unknown"
        self.parts.stats.messages[action, "refused"] += 1
        frame = self._rpc.refuse(call.message_id, code, description)
        if self._is_done:
            return
        self.wire.send(frame)
        self._log_exchange(call, self.parts.desk.now(), frame, code)

    def _leave_unanswered(self, exc: StoreUnavailable | StaleEpoch) -> None:
        if isinstance(exc, StaleEpoch):
            self.end(TAKEN_OVER, "a newer connection is open")
            return
        log.warning("message_left_unanswered", station=self.identity, error=str(exc))
        self.end(TRY_AGAIN_LATER, "cannot store now")

    def _other(self, message: Incoming, frame: bytes) -> None:
        if isinstance(message, Reply | ReplyError):
            if self._calls is not None:
                self._calls.replied(message)
        elif isinstance(message, Repeat):
            self.parts.stats.messages["any", "repeated"] += 1
            if not self._is_done:
                self.wire.send(message.frame)
        elif isinstance(message, Stray):
            if self._calls is None or not self._calls.came_late(message.message_id, frame):
                self.parts.stats.bad_frames["stray"] += 1
        elif isinstance(message, ReplyNotice):
            log.warning(
                "answer_was_refused", station=self.identity, error=message.code, text=message.description
            )
        else:
            self.parts.stats.bad_frames["ignored"] += 1

    def _breached(self, bad: BadFrame, frame: bytes) -> None:
        """Answer a frame that cannot be used, and part with a station that sends too many of them."""
        self.parts.stats.bad_frames[bad.code or "unreadable"] += 1
        if self._is_done:
            return
        if bad.answer is not None:
            self.wire.send(bad.answer)
        now = self._loop.time()
        if now - self._breach_since > MINUTE_S:
            self._breach_since, self._breaches = now, 0
            log.info("frame_refused", station=self.identity, error=bad.description, frame=repr(frame[:80]))
        self._breaches += 1
        if self._breaches > self.parts.settings.protocol_errors_per_min:
            log.warning("station_broke_protocol", station=self.identity, errors=self._breaches)
            self.parts.admission.penalize(self.identity)
            self.end(POLICY, "too many protocol errors")

    def _log_exchange(
        self, call: Call | Send, at: datetime, answer: bytes | None, outcome: str, us: int | None = None
    ) -> None:
        if self.parts.keep_log:
            station_id, asked = self.state.station.station_id, bytes(call.payload)
            self.parts.desk.log(
                Exchange(station_id, at, "in", call.message_id, call.action, asked, answer, outcome, us)
            )

    def _own(self, work: Coroutine[Any, Any, Any]) -> None:
        if self._tasks is None:
            self._tasks = set()
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
