"""Commands to one charging station: one at a time, in order, each ending in an outcome. No socket.

Nothing is sent before the station has booted or, accepted long ago, has had some time after connecting:
some stations loop when commanded too early. Made when the first command comes; its task ends with the last.
"""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

import msgspec
import structlog

from csms.domain.assets import BootStatus
from csms.domain.commands import Command, Outcome, Result, Withdraw
from csms.domain.redaction import redacted
from csms.errors import CommandNotSupported, CsmsError
from csms.gateway.desk import Exchange, Parts
from csms.handlers.context import StationState
from csms.protocol.rpc import Reply, ReplyError, Rpc
from csms.protocol.schema import check_request, decode_response, encode

log = structlog.get_logger()

MOST_SILENT = 3  # calls in a row without an answer, then the socket is recycled
MOST_LATE = 8
HOLDS_SECRETS = frozenset(
    {"ChangeConfiguration", "GetConfiguration", "GetVariables", "SetNetworkProfile", "SetVariables"}
)
NO_SUCH_ACTION = frozenset({"NotImplemented", "NotSupported"})

Called = Reply | ReplyError | None
"""What came back; None when nothing did."""


@dataclass(slots=True, eq=False)
class _Order:
    command: Command
    calls: list[tuple[str, dict[str, object]]]
    expires: float
    done: asyncio.Future[Outcome]
    number: int = 0
    is_sent: bool = field(default=False)


class Calls:
    """What waits to be sent to one station, and what was sent."""

    def __init__(
        self,
        parts: Parts,
        state: StationState,
        rpc: Rpc,
        *,
        send: Callable[[bytes], None],
        hang_up: Callable[[int, str], None],
        opens_at: float,
    ) -> None:
        """`opens_at`: the loop's time from which an accepted station may be called without a boot."""
        self._parts = parts
        self._state = state
        self._rpc = rpc
        self._send = send
        self._hang_up = hang_up
        self._opens_at = opens_at
        self._loop = asyncio.get_running_loop()
        self._orders: deque[_Order] = deque()
        self._current: _Order | None = None
        self._worker: asyncio.Task[None] | None = None
        self._reply: asyncio.Future[Reply | ReplyError] | None = None
        self._booted = asyncio.Event()
        self._late: OrderedDict[str, str] = OrderedDict()
        self._count = 0
        self._silent = 0
        self._is_lost = False

    async def command(self, command: Command | Withdraw, within_s: float, number: int = 0) -> Outcome:
        """Send `command` in its turn; what came of it, at the latest after `within_s` seconds."""
        if isinstance(command, Withdraw):
            return self._withdraw(command.number)
        order = self._accept(command, within_s)
        if isinstance(order, Outcome):
            return self._count_outcome(command, order)
        order.number = number
        self._orders.append(order)
        if self._worker is None:
            self._worker = self._loop.create_task(self._work())
        try:
            async with asyncio.timeout(within_s):
                outcome = await asyncio.shield(order.done)
        except TimeoutError:
            outcome = self._out_of_time(order, within_s)
        return self._count_outcome(command, outcome)

    def replied(self, reply: Reply | ReplyError) -> None:
        """The station answered the outstanding call."""
        if self._reply is not None and not self._reply.done():
            self._reply.set_result(reply)

    def came_late(self, message_id: str, frame: bytes) -> bool:
        """Keep an answer that came after its time; False when that call was never made here."""
        action = self._late.pop(message_id, None)
        if action is None:
            return False
        self._silent = 0
        self._parts.stats.late_replies += 1
        self._log((message_id, action), b"", frame, "late")
        return True

    def booted(self) -> None:
        """The station was told that it may work, or that it is pending."""
        if self._state.station.boot_status is not BootStatus.REJECTED:
            self._booted.set()

    def lost(self) -> None:
        """The connection is gone: nothing more is sent, and nobody waits any longer."""
        self._is_lost = True
        if self._worker is not None:
            self._worker.cancel()
        for order in [*([self._current] if self._current else []), *self._orders]:
            if not order.done.done():
                order.done.set_result(_lost(order))
        self._orders.clear()

    def _withdraw(self, number: int) -> Outcome:
        """Whoever waits for the command hears that it was taken back."""
        for order in self._orders:
            if order.number == number:
                self._orders.remove(order)
                order.done.set_result(Outcome(Result.FAILED, reason="not sent: it was taken back"))
                return Outcome(Result.ACCEPTED)
        return Outcome(Result.REJECTED, reason="it was sent, or never came here")

    def _accept(self, command: Command, within_s: float) -> _Order | Outcome:
        settings = self._parts.settings
        if self._is_lost:
            return Outcome(Result.NOT_CONNECTED, reason="the connection is closed")
        if len(self._orders) >= settings.max_queued_calls:
            return Outcome(
                Result.FAILED, reason=f"{len(self._orders)} commands already wait for this station"
            )
        try:
            calls = self._state.dialect.write(command)
            for action, payload in calls:
                check_request(self._state.dialect.version, action, payload)
        except CommandNotSupported as exc:
            return Outcome(Result.NOT_SUPPORTED, reason=str(exc))
        except CsmsError as exc:
            return Outcome(Result.FAILED, reason=str(exc))
        expires = self._loop.time() + min(within_s, settings.command_expiry_s)
        return _Order(command, calls, expires, self._loop.create_future())

    def _out_of_time(self, order: _Order, within_s: float) -> Outcome:
        if order.is_sent:
            return Outcome(
                Result.SILENT, reason=f"no answer within {within_s:g} s; it may still be carried out"
            )
        if order in self._orders:
            self._orders.remove(order)
        order.done.cancel()
        return Outcome(Result.FAILED, reason=self._why_not_sent())

    def _why_not_sent(self) -> str:
        status = self._state.station.boot_status
        booted = self._booted.is_set() and status is not BootStatus.REJECTED
        if booted or (status is BootStatus.ACCEPTED and self._loop.time() >= self._opens_at):
            return "not sent: the station was busy with earlier commands"
        return f"not sent: the station may not be commanded before it has booted (it is {status.value})"

    async def _work(self) -> None:
        try:
            while self._orders:
                order = self._orders[0]
                may_send = await self._may_send(order)
                if order not in self._orders:
                    continue  # its asker gave up while it waited
                self._current = self._orders.popleft()
                if may_send:
                    outcome = await self._carry_out(order)
                else:
                    outcome = Outcome(Result.FAILED, reason=self._why_not_sent())
                self._current = None
                if not order.done.done():
                    order.done.set_result(outcome)
        finally:
            self._worker = None

    async def _may_send(self, order: _Order) -> bool:
        """Wait until the station may be commanded; False when the order expires before."""
        now = self._loop.time()
        if self._booted.is_set() or self._state.booted_at is not None:
            return now < order.expires and self._state.station.boot_status is not BootStatus.REJECTED
        accepted = self._state.station.boot_status is BootStatus.ACCEPTED
        opens_at = self._opens_at if accepted else order.expires
        try:
            async with asyncio.timeout_at(min(order.expires, opens_at)):
                await self._booted.wait()
        except TimeoutError:
            return self._loop.time() < order.expires
        return True

    async def _carry_out(self, order: _Order) -> Outcome:
        """Send the calls of one command in order; a rejected one does not stop the others."""
        order.is_sent = True
        outcomes: list[Outcome] = []
        for action, payload in order.calls:
            outcomes.append(await self._call(order.command, action, payload))
            if outcomes[-1].result is Result.SILENT:
                break
        return _combined(outcomes)

    async def _call(self, command: Command, action: str, payload: dict[str, object]) -> Outcome:
        self._count += 1
        # Unique for the station over all its connections: every connection has its own epoch.
        message_id = f"{self._state.epoch:x}-{self._count:x}"
        request = encode(payload)
        started = perf_counter()
        reply = await self._ask(message_id, action, request)
        outcome = self._judge(command, action, reply)
        answer = _answer_of(reply)
        took_us = None if reply is None else int((perf_counter() - started) * 1e6)
        if action in HOLDS_SECRETS:
            request, answer = _without_secrets(request), answer and _without_secrets(answer)
        self._log((message_id, action), request, answer, outcome.result.value, us=took_us)
        return outcome

    async def _ask(self, message_id: str, action: str, request: bytes) -> Called:
        self._reply = self._loop.create_future()
        self._send(self._rpc.call(message_id, action, request))
        try:
            async with asyncio.timeout(self._parts.settings.call_timeout_s):
                reply = await self._reply
        except TimeoutError:
            self._rpc.give_up()
            self._fell_silent(message_id, action)
            return None
        finally:
            self._reply = None
        self._silent = 0
        return reply

    def _fell_silent(self, message_id: str, action: str) -> None:
        self._late[message_id] = action
        if len(self._late) > MOST_LATE:
            self._late.popitem(last=False)
        self._silent += 1
        if self._silent >= MOST_SILENT:
            log.warning("station_ignored_commands", station=self._state.station.identity, action=action)
            self._hang_up(1008, "calls are not answered")

    def _judge(self, command: Command, action: str, reply: Called) -> Outcome:
        if reply is None:
            return _silent(self._parts.settings.call_timeout_s)
        if isinstance(reply, ReplyError):
            result = Result.NOT_SUPPORTED if reply.code in NO_SUCH_ACTION else Result.FAILED
            error = {"code": reply.code, "description": reply.description, "details": _details(reply.details)}
            return Outcome(result, {"error": error}, f"{action}: {reply.code} {reply.description}".rstrip())
        try:
            payload, _ = decode_response(self._state.dialect.version, action, reply.payload)
            return self._state.dialect.outcome(command, action, payload)
        except CsmsError as exc:
            return self._unusable(reply, str(exc))
        except Exception:
            log.exception("outcome_failed", station=self._state.station.identity, action=action)
            return Outcome(Result.FAILED, reason=f"{action}: the answer could not be understood")

    def _unusable(self, reply: Reply, reason: str) -> Outcome:
        # 2.1 part 4, 4.2.3: tell the station; older versions have no message for it.
        notice = self._rpc.refuse_result(reply.message_id, self._state.dialect.errors.malformed, reason)
        if notice is not None:
            self._send(notice)
        return Outcome(Result.FAILED, reason=f"{reply.action}: the answer cannot be used: {reason}"[:255])

    def _count_outcome(self, command: Command, outcome: Outcome) -> Outcome:
        self._parts.stats.commands[type(command).__name__, outcome.result.value] += 1
        return outcome

    def _log(
        self, ids: tuple[str, str], asked: bytes, answer: bytes | None, outcome: str, *, us: int | None = None
    ) -> None:
        """`ids`: message id and action."""
        if self._parts.keep_log:
            desk, station_id = self._parts.desk, self._state.station.station_id
            desk.log(Exchange(station_id, desk.now(), "out", *ids, asked, answer, outcome, us))


def _silent(seconds: float) -> Outcome:
    return Outcome(Result.SILENT, reason=f"no answer within {seconds:g} s; it may still be carried out")


def _combined(outcomes: list[Outcome]) -> Outcome:
    if len(outcomes) == 1:
        return outcomes[0]
    worst = next((o for o in outcomes if o.result is not Result.ACCEPTED), outcomes[0])
    return Outcome(
        worst.result,
        {"calls": [o.payload for o in outcomes]},
        worst.reason,
        tuple(v for o in outcomes for v in o.variables),
    )


def _answer_of(reply: Called) -> bytes | None:
    if isinstance(reply, ReplyError):
        return encode({"error": reply.code, "description": reply.description})
    return None if reply is None else bytes(reply.payload)


def _without_secrets(payload: bytes) -> bytes:
    """The same with passwords hidden."""
    return encode(redacted(msgspec.json.decode(payload)))


def _details(sent: bytes) -> dict[str, Any]:
    """The details of a CALLERROR as they came; {} for what is no JSON object."""
    try:
        return msgspec.json.decode(sent, type=dict)
    except msgspec.DecodeError:
        return {}


def _lost(order: _Order) -> Outcome:
    if order.is_sent:
        return Outcome(Result.SILENT, reason="the connection was lost; it may still be carried out")
    return Outcome(Result.NOT_CONNECTED, reason="the connection was lost before it was sent")
