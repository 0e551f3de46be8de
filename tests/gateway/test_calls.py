"""Commands to one station: one at a time, in order, each ending in an outcome."""

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest
import structlog

from csms.domain.assets import BootStatus, OcppVersion
from csms.domain.commands import ClearCache, GetVariables, Outcome, RawCall, Result, Withdraw
from csms.gateway.calls import MOST_SILENT, Calls
from csms.handlers.context import StationState
from csms.protocol.rpc import Reply, ReplyError, Rpc
from tests.gateway.kit import NOW, VERSIONS, MemoryDesk, codes, dialect, parts_of, until

EACH = pytest.mark.parametrize("version", VERSIONS)
CLEAR = RawCall("ClearCache", {})


class Line:
    """Calls whose frames end in a list."""

    def __init__(self, version: OcppVersion = OcppVersion.V16, **options: Any) -> None:
        self.desk = MemoryDesk()
        opens_in = options.pop("opens_in", 0.0)
        status = options.pop("boot_status", BootStatus.ACCEPTED)
        self.state = StationState(self.desk.register("CS-1", boot_status=status), dialect(version), 255)
        self.parts = parts_of(self.desk, **options)
        self.rpc = Rpc(codes(version), version is OcppVersion.V21)
        self.sent: list[list[Any]] = []
        self.closed: tuple[int, str] | None = None
        self.calls = Calls(
            self.parts,
            self.state,
            self.rpc,
            send=lambda frame: self.sent.append(json.loads(frame)),
            hang_up=self._hang_up,
            opens_at=asyncio.get_running_loop().time() + opens_in,
        )

    def _hang_up(self, code: int, reason: str) -> None:
        self.closed = (code, reason)

    def give(self, command: object = CLEAR, within_s: float = 5) -> "asyncio.Task[Outcome]":
        return asyncio.create_task(self.calls.command(command, within_s))

    async def asked(self, count: int = 1) -> str:
        """Wait for the n-th call; its id."""
        await until(lambda: len(self.sent) >= count)
        return str(self.sent[count - 1][1])

    def answer(self, frame: str) -> None:
        """A station's reply, through the real framing."""
        reply = self.rpc.receive(frame)
        if isinstance(reply, Reply | ReplyError):
            self.calls.replied(reply)
        else:
            self.calls.came_late(reply.message_id, frame.encode())

    def accept(self, message_id: str) -> None:
        self.answer(json.dumps([3, message_id, {"status": "Accepted"}]))


@EACH
async def test_a_command_and_its_outcome(version: OcppVersion) -> None:
    """The station's answer comes back in our words and as it came; ids carry the connection's epoch."""
    line = Line(version)
    command = line.give()

    message_id = await line.asked()
    assert line.sent == [[2, message_id, "ClearCache", {}]]
    assert message_id == "ff-1"
    line.accept(message_id)

    assert await command == Outcome(Result.ACCEPTED, {"status": "Accepted"})
    assert line.parts.stats.commands["RawCall", "accepted"] == 1
    (kept,) = line.desk.exchanges
    assert (kept.direction, kept.action, kept.request, kept.outcome) == (
        "out",
        "ClearCache",
        b"{}",
        "accepted",
    )


@EACH
async def test_r18_the_second_waits_for_the_first(version: OcppVersion) -> None:
    """R18: one outstanding call."""
    line = Line(version)
    first, second = line.give(), line.give()

    message_id = await line.asked()
    await asyncio.sleep(0.01)
    assert len(line.sent) == 1
    line.accept(message_id)
    line.accept(await line.asked(2))

    assert [(await first).result, (await second).result] == [Result.ACCEPTED] * 2


@EACH
async def test_r26_silence_frees_the_slot(version: OcppVersion) -> None:
    """R26: after the timeout the next is sent."""
    line = Line(version, call_timeout_s=0.02)
    first, second = line.give(), line.give()

    await line.asked()
    message_id = await line.asked(2)
    line.accept(message_id)

    assert (await first).result is Result.SILENT
    assert (await second).result is Result.ACCEPTED
    assert line.closed is None


async def test_r26_three_silent_ones_in_a_row_close() -> None:
    """R26: the socket is recycled; an answer in between would have counted as life."""
    line = Line(call_timeout_s=0.01)

    with structlog.testing.capture_logs() as logs:
        outcomes = await asyncio.gather(*(line.give() for _ in range(MOST_SILENT)))

    assert {o.result for o in outcomes} == {Result.SILENT}
    assert line.closed == (1008, "calls are not answered")
    assert [entry["event"] for entry in logs] == ["station_ignored_commands"]


async def test_r26_an_answer_in_between_is_life() -> None:
    """R26: silent, silent, answered, silent, silent: stays."""
    line = Line(call_timeout_s=0.02)
    for n in range(1, 6):
        command = line.give()
        message_id = await line.asked(n)
        if n == 3:
            line.accept(message_id)
        await command

    assert line.closed is None


@EACH
async def test_r17_a_late_answer_is_kept_and_matches_nothing_else(version: OcppVersion) -> None:
    """R17: stored as late; the next call waits for its own."""
    line = Line(version, call_timeout_s=0.03)
    first = line.give()
    late_id = await line.asked()
    await first
    second = line.give()
    message_id = await line.asked(2)

    line.accept(late_id)
    await asyncio.sleep(0)
    assert not second.done()
    line.accept(message_id)

    assert (await second).result is Result.ACCEPTED
    assert [e.outcome for e in line.desk.exchanges] == ["silent", "late", "accepted"]
    assert line.parts.stats.late_replies == 1


async def test_an_asker_may_give_up_before_the_station_does() -> None:
    """Within 20 ms it is silent for the asker; the slot stays with the call until its own timeout."""
    line = Line(call_timeout_s=5)

    assert (await line.give(within_s=0.02)).result is Result.SILENT

    second = line.give()
    await asyncio.sleep(0.01)
    assert len(line.sent) == 1
    line.accept(line.sent[0][1])
    line.accept(await line.asked(2))
    assert (await second).result is Result.ACCEPTED


@EACH
async def test_r22_an_error_of_the_station(version: OcppVersion) -> None:
    """R22: any code, any length: the command failed, and the text is cut."""
    line = Line(version)
    command = line.give()
    message_id = await line.asked()

    line.answer(json.dumps([4, message_id, "MadeUp", "x" * 1_000_000, {}]))

    outcome = await command
    assert outcome.result is Result.FAILED
    assert "MadeUp" in outcome.reason
    assert len(outcome.reason) < 400


@pytest.mark.parametrize("code", ["NotImplemented", "NotSupported"])
async def test_the_station_does_not_know_the_action(code: str) -> None:
    """That is another outcome than a failure."""
    line = Line()
    command = line.give()

    line.answer(json.dumps([4, await line.asked(), code, "", {}]))

    assert (await command).result is Result.NOT_SUPPORTED


@EACH
@pytest.mark.parametrize("payload", [{}, []])
async def test_r16_a_result_that_cannot_be_used(version: OcppVersion, payload: object) -> None:
    """R16: the command failed; 2.1 is told so with a CALLRESULTERROR."""
    line = Line(version)
    command = line.give()
    message_id = await line.asked()

    line.answer(json.dumps([3, message_id, payload]))

    assert (await command).result is Result.FAILED
    notices = [m for m in line.sent if m[0] == 5]
    assert [n[1] for n in notices] == ([message_id] if version is OcppVersion.V21 else [])


async def test_a_dialect_that_fails_does_not_stop_the_queue() -> None:
    """The command failed, the reason is in the log, and the next one goes out."""
    line = Line()

    def fail(*args: object) -> Outcome:
        raise KeyError("status")

    line.state.dialect = replace(line.state.dialect, outcome=fail)
    first = line.give()
    with structlog.testing.capture_logs() as logs:
        line.accept(await line.asked())
        assert (await first).result is Result.FAILED
    assert [entry["event"] for entry in logs] == ["outcome_failed"]

    line.state.dialect = dialect(OcppVersion.V16)
    second = line.give()
    line.accept(await line.asked(2))
    assert (await second).result is Result.ACCEPTED


async def test_what_the_dialect_does_not_know() -> None:
    """Known at once, nothing is sent."""
    line = Line()

    assert (await line.give(ClearCache())).result is Result.NOT_SUPPORTED
    assert (await line.give(RawCall("Nonsense", {}))).result is Result.FAILED
    assert (await line.give(RawCall("Reset", {"type": "Sideways"}))).result is Result.FAILED
    assert line.sent == []


async def test_one_command_may_take_several_calls() -> None:
    """In order; the outcome is the first that was not accepted, and all answers are kept."""
    line = Line()
    command = line.give(GetVariables(("a", "b", "c")))

    for n, status in enumerate(("Accepted", "Rejected", "Accepted"), start=1):
        line.answer(json.dumps([3, await line.asked(n), {"status": status}]))

    outcome = await command
    assert outcome.result is Result.REJECTED
    assert outcome.payload == {
        "calls": [{"status": "Accepted"}, {"status": "Rejected"}, {"status": "Accepted"}]
    }


async def test_the_queue_is_bounded() -> None:
    """Beyond it: failed at once, with the reason."""
    line = Line(max_queued_calls=2)
    commands = [line.give() for _ in range(4)]
    await line.asked()

    outcome = await commands[3]

    assert outcome.result is Result.FAILED
    assert "wait" in outcome.reason
    line.calls.lost()
    await asyncio.gather(*commands)


async def test_a_command_expires_in_the_queue() -> None:
    """Not sent late, when nobody wants it any more."""
    line = Line(command_expiry_s=0.03, call_timeout_s=0.1)
    first, second = line.give(), line.give()

    assert (await second).result is Result.FAILED
    assert (await first).result is Result.SILENT
    await asyncio.sleep(0)
    assert len(line.sent) == 1


async def test_who_gave_up_waiting_is_not_sent() -> None:
    """An asker with little time leaves the queue."""
    line = Line()
    first, second = line.give(), line.give(within_s=0.02)
    message_id = await line.asked()

    assert (await second).result is Result.FAILED
    line.accept(message_id)
    await first
    await asyncio.sleep(0.01)

    assert len(line.sent) == 1


async def test_nothing_is_sent_before_the_station_has_booted() -> None:
    """Some loop when commanded too early; after the boot it goes out at once."""
    line = Line(opens_in=60)
    command = line.give()
    await asyncio.sleep(0.01)
    assert line.sent == []

    line.calls.booted()

    line.accept(await line.asked())
    assert (await command).result is Result.ACCEPTED


async def test_an_accepted_station_that_does_not_boot_is_commanded_after_a_while() -> None:
    """2.x: it should not boot again after a reconnect."""
    line = Line(opens_in=0.03)
    command = line.give()
    await asyncio.sleep(0.01)
    assert line.sent == []

    line.accept(await line.asked())

    assert (await command).result is Result.ACCEPTED


@pytest.mark.parametrize("status", [BootStatus.PENDING, BootStatus.REJECTED])
async def test_who_never_booted_is_never_commanded(status: BootStatus) -> None:
    """The asker learns why."""
    line = Line(boot_status=status)

    outcome = await line.give(within_s=0.03)

    assert outcome.result is Result.FAILED
    assert status.value in outcome.reason
    assert line.sent == []


async def test_a_rejected_station_is_not_commanded_although_it_booted() -> None:
    """B03.FR: a pending one may be, to be set up; a rejected one may not."""
    rejected, pending = Line(boot_status=BootStatus.REJECTED), Line(boot_status=BootStatus.PENDING)
    for line in (rejected, pending):
        line.state.booted_at = NOW
        line.calls.booted()

    refused, taken = rejected.give(within_s=0.05), pending.give(within_s=5)

    pending.accept(await pending.asked())
    assert (await taken).result is Result.ACCEPTED
    assert (await refused).result is Result.FAILED
    assert rejected.sent == []


async def test_h33_calls_pending_on_a_lost_connection_end() -> None:
    """H33: the one that was sent may have been carried out; the others were not."""
    line = Line()
    sent, waiting = line.give(), line.give()
    await line.asked()

    line.calls.lost()

    assert (await sent).result is Result.SILENT
    assert (await waiting).result is Result.NOT_CONNECTED
    assert (await line.give()).result is Result.NOT_CONNECTED


async def test_late_ids_are_bounded() -> None:
    """A station that never answers fills no memory."""
    line = Line(call_timeout_s=0.001)
    for _ in range(20):
        await line.give()

    assert not line.calls.came_late("ff-1", b"")
    assert line.calls.came_late("ff-14", b"")


async def test_a_command_that_waits_can_be_taken_back() -> None:
    """Its asker hears so and the station hears nothing; what was sent stays sent."""
    line = Line()
    first = asyncio.create_task(line.calls.command(CLEAR, 5, 1))
    second = asyncio.create_task(line.calls.command(CLEAR, 5, 2))
    message_id = await line.asked()

    sent = await line.calls.command(Withdraw(1), 5)
    waiting = await line.calls.command(Withdraw(2), 5)
    unknown = await line.calls.command(Withdraw(3), 5)
    line.answer(f'[3,"{message_id}",{{"status":"Accepted"}}]')

    assert [told.result for told in (sent, waiting, unknown)] == [
        Result.REJECTED,
        Result.ACCEPTED,
        Result.REJECTED,
    ]
    assert (await first).result is Result.ACCEPTED
    assert (await second) == Outcome(Result.FAILED, reason="not sent: it was taken back")
    assert len(line.sent) == 1
