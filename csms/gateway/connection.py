"""The actor of one charging station: its messages in order, one at a time, and the commands to it.

Knows OCPP-J and the desk, no socket: a `Wire` carries frames, so the same actor serves tests, replays and
stories. A task exists only while there is something to do. An answer leaves after the commit, never
before; when nothing can be committed nothing is answered, and the station keeps what it has to say.
"""

import asyncio
from collections import deque
from collections.abc import Coroutine
from typing import Any

import structlog

from csms.domain.commands import Amendment, AskTransaction, Command, NoteTransaction, Order, Outcome, Result
from csms.errors import StaleEpoch, StoreError, StoreUnavailable
from csms.gateway.answers import TAKEN_OVER, TRY_AGAIN_LATER, Answers
from csms.gateway.calls import Calls
from csms.gateway.desk import Parts
from csms.gateway.reading import TOO_MUCH_WAITS, Reading
from csms.gateway.wire import Wire
from csms.handlers.context import StationState
from csms.handlers.readings import Taken
from csms.protocol.frames import Call, Send
from csms.protocol.rpc import Incoming, Rpc

__all__ = ["TAKEN_OVER", "Connection"]

log = structlog.get_logger()

_REPLIES = (b"[3", b"[4")


class Connection:
    """One station's connection. `feed` it frames; `lost` ends it."""

    __slots__ = (
        "_answers",
        "_hear",
        "_is_lost",
        "_loop",
        "_plain",
        "_queue",
        "_reading",
        "_reading_of",
        "_rested",
        "_rpc",
        "_since",
        "_tasks",
        "_worker",
        "busy_since",
        "calls",
        "is_busy",
        "is_done",
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
        self._plain = state.dialect.plain
        self._queue: deque[bytes] | None = None
        self._reading_of: tuple[Call, bytes, Taken] | None = None
        self._hear = self._reading_stored  # bound once: it is handed out with every reading
        self._rested: asyncio.Future[None] | None = None
        self._worker: asyncio.Task[Any] | None = None
        self.calls: Calls | None = None
        self._tasks: set[asyncio.Task[Any]] | None = None
        settings = parts.settings
        self._reading = Reading(wire, settings.messages_per_s, settings.messages_burst, self._loop)
        self._answers = Answers(self, parts, state, wire, self._rpc, self._reading)
        self.is_done = False
        self._is_lost = False
        self.is_busy = False
        """Whether a message is being handled or waits."""
        self.busy_since = 0.0
        """When the message that is being handled was taken up (the loop's clock)."""

    @property
    def identity(self) -> str:
        """The station's."""
        return self.state.station.identity

    # What the wire's owner calls.

    def feed(self, frame: bytes) -> None:
        """Take a text frame. Never blocks; the wire is paused when more waits than should."""
        if self.is_done:
            return
        now = self._loop.time()
        if self._reading.count(now):
            self.parts.stats.read_pauses += 1
        # A reply must not wait behind a call that waits for a commit: the directions are independent.
        if frame.startswith(_REPLIES):
            self._take(frame)
            return
        if not self.is_busy:
            self._take_up(frame, now)
            return
        self.parts.budget.used += len(frame)
        if self._queue is None:
            self._queue = deque()
        self._queue.append(frame)
        if len(self._queue) >= self.parts.settings.max_queued_frames or self.parts.budget.is_over:
            self._reading.pause(TOO_MUCH_WAITS)

    def lost(self) -> None:
        """The wire is gone. What was received is still dealt with: it is stored, only not answered."""
        self._is_lost = True
        if self.calls is not None:
            self.calls.lost()
        self._reading.stop()

    def end(self, code: int, reason: str) -> None:
        """Close, handle nothing more and answer nothing more. The first reason counts."""
        if self.is_done:
            return
        self.is_done = True
        self.wire.close(code, reason)
        if self.calls is not None:
            self.calls.lost()

    def give_up_overdue(self, now: float) -> bool:
        """End a connection whose message takes too long: no answer, the station keeps it."""
        if not self.is_busy or now - self.busy_since < self.parts.handler_limit_s or self.is_done:
            return False
        log.error("message_overran", station=self.identity, seconds=round(now - self.busy_since, 1))
        self.end(TRY_AGAIN_LATER, "cannot store now")
        self.cancel()
        return True

    def cancel(self) -> None:
        """Stop handling at once; end the connection before."""
        if self._worker is not None:
            self._worker.cancel()
        elif self._reading_of is not None:
            self._rpc.forget(self._reading_of[0].message_id)
            self._reading_of = None
            self._rest()

    async def settled(self) -> None:
        """Wait until every message received so far is dealt with."""
        while self.is_busy or self._tasks:
            await self.idle()
            if self._tasks:
                await asyncio.wait(self._tasks)

    async def idle(self) -> None:
        """Wait until no message is being handled."""
        while self.is_busy:
            if self._rested is None:
                self._rested = self._loop.create_future()
            await asyncio.wait([self._rested])

    async def command(self, command: Order, within_s: float, number: int = 0) -> Outcome:
        """Tell the station something; never raises. `within_s` covers waiting and the station's time."""
        if self.is_done or self._is_lost:
            return Outcome(Result.NOT_CONNECTED, reason="the connection is closed")
        if isinstance(command, Amendment):
            return await self._amend(command, within_s)
        if self.calls is None:
            opens_at = self._since + self.parts.quiet_s
            self.calls = Calls(
                self.parts, self.state, self._rpc, send=self.wire.send, hang_up=self.end, opens_at=opens_at
            )
        outcome = await self.calls.command(command, within_s, number)
        if isinstance(command, AskTransaction) and outcome.transaction is not None:
            # Whoever asked need not wait until it is noted.
            said = NoteTransaction(command.transaction_id, outcome.transaction)
            self._own(self._amend(said, self.parts.settings.command_expiry_s))
        return outcome

    async def _amend(self, order: Amendment, within_s: float) -> Outcome:
        """Change a session between two messages: nobody else writes the sessions of this station."""
        try:
            async with asyncio.timeout(within_s):
                await self.idle()
        except TimeoutError:
            return Outcome(Result.FAILED, reason="the station's messages left no time for it")
        if self.is_done or self._is_lost:
            return Outcome(Result.NOT_CONNECTED, reason="the connection is closed")
        self.is_busy, self.busy_since = True, self._loop.time()
        work = self._worker = self._loop.create_task(self._carry_out(order))
        await asyncio.wait([work])
        return Outcome(Result.FAILED, reason="it took too long") if work.cancelled() else work.result()

    async def _carry_out(self, order: Amendment) -> Outcome:
        try:
            return await self.parts.desk.amend(self.state, order)
        except StoreError as exc:
            return Outcome(Result.FAILED, reason=str(exc))
        finally:
            self._worker = None
            self._go_on()

    # The messages.

    def _take_up(self, frame: bytes, now: float) -> None:
        """Begin with a frame while nothing else is being handled."""
        message = self._answers.receive(frame)
        if message is None or self.is_done:
            return
        self.is_busy, self.busy_since = True, now
        # Most common first: the next reading of a session needs no task.
        if type(message) is Call and message.action in self._plain and self._take_reading(message, frame):
            return
        self._worker = self._loop.create_task(self._work(message, frame))

    async def _work(self, message: Incoming | None, frame: bytes) -> None:
        """Handle a message, then what has come meanwhile."""
        most, queue = self.parts.settings.max_queued_frames, self._queue
        try:
            while True:
                await self._handle(message, frame)
                queue = self._queue
                if not queue or self.is_done:
                    break
                frame = queue.popleft()
                self.parts.budget.used -= len(frame)
                self.busy_since = self._loop.time()
                message = self._answers.receive(frame)
                if len(queue) * 2 <= most:
                    self._reading.resume(TOO_MUCH_WAITS)
        finally:
            self._worker = None
            self._rest()

    async def _handle(self, message: Incoming | None, frame: bytes) -> None:
        # Most common first: stations talk far more than they answer.
        if type(message) is Call:
            await self._answers.called(message, len(frame))
        elif type(message) is Send:
            await self._answers.told(message, len(frame))
        elif message is not None:
            self._answers.other(message, frame)

    def _rest(self) -> None:
        """Nothing is being handled any more, nor will be of what still waits."""
        if self._queue is not None:
            self.parts.budget.used -= sum(map(len, self._queue))
            self._queue = None
            self._reading.resume(TOO_MUCH_WAITS)
        self.is_busy = False
        if self._rested is not None:
            self._rested.set_result(None)
            self._rested = None

    def _take_reading(self, call: Call, frame: bytes) -> bool:
        """Store the next reading of a running session; False: it is to be handled like any other message."""
        if len(frame) > self.parts.settings.max_small_message_bytes:
            return False
        taken = self.parts.desk.take_reading(self.state, call, self._hear)
        if taken is None:
            return False
        self._reading_of = call, frame, taken
        return True

    def _reading_stored(self, refusal: StoreError | None) -> None:
        if self._reading_of is None:
            return  # given up meanwhile
        call, frame, taken = self._reading_of
        self._reading_of = None
        if refusal is None:
            self.parts.desk.reading_stored(self.state, taken)
            self._answers.answer_reading(call, self.busy_since)
        elif isinstance(refusal, StoreUnavailable | StaleEpoch):
            self._answers.leave_unanswered(call.message_id, refusal)
        else:
            # It could not be stored like this: find out why, and say so.
            self._worker = self._loop.create_task(self._work(call, frame))
            return
        self._go_on()

    def _go_on(self) -> None:
        """Take up what has come meanwhile, or rest."""
        if not self._queue or self.is_done:
            self._rest()
            return
        waiting = self._queue.popleft()
        self.parts.budget.used -= len(waiting)
        self.busy_since = self._loop.time()
        self._worker = self._loop.create_task(self._work(self._answers.receive(waiting), waiting))

    def _take(self, frame: bytes) -> None:
        message = self._answers.receive(frame)
        if message is not None:
            self._answers.other(message, frame)

    def follow_up(self, command: Command) -> None:
        """Tell the station something of our own accord, when its turn comes."""
        self._own(self.command(command, self.parts.settings.command_expiry_s))

    def _own(self, work: Coroutine[Any, Any, Any]) -> None:
        if self._tasks is None:
            self._tasks = set()
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
