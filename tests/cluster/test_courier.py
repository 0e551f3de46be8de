"""Commands on their way: same contract for every bus."""

import asyncio

import pytest

from csms.cluster.bus import LocalBus, NoResponders
from csms.cluster.courier import KINDS, Courier, pack_command, subject_of, unpack_command
from csms.domain import commands
from csms.domain.commands import Command, Outcome, Result
from csms.domain.events import VariableReported

EXAMPLES: list[Command] = [
    commands.StartSession("A1", evse=1),
    commands.StopSession("77"),
    commands.Reset("immediate", evse=2),
    commands.UnlockConnector(1),
    commands.TriggerMessage("StatusNotification", evse=1),
    commands.ChangeAvailability(False, evse=1, connector=2),
    commands.SetVariables((commands.SetVariable("Interval", "30", component="OCPPCommCtrlr"),)),
    commands.GetVariables(("HeartbeatInterval",)),
    commands.GetBaseReport(4),
    commands.ClearCache(),
    commands.SendData("cn.example", "m", {"a": [1]}),
    commands.RawCall("Reset", {"type": "Soft"}),
]


@pytest.mark.parametrize("command", EXAMPLES, ids=lambda c: type(c).__name__)
def test_a_command_survives_the_way(command: Command) -> None:
    """Packed and unpacked, a command is what it was."""
    assert unpack_command(pack_command(command, 5)) == (command, 5.0)


def test_every_command_has_a_wire_form() -> None:
    """A command added to the domain must be added to the courier."""
    assert {type(c) for c in EXAMPLES} == set(KINDS.values()) == set(Command.__args__)


def test_the_wire_form_is_frozen() -> None:
    """Version 1 must read what older nodes send, and skip what newer ones add."""
    old = b'{"v":1,"command":"StopSession","args":{"transaction_id":"9","newer":1},"within_s":30}'

    assert unpack_command(old) == (commands.StopSession("9"), 30.0)
    assert pack_command(commands.StopSession("9"), 30) == (
        b'{"v":1,"command":"StopSession","args":{"transaction_id":"9"},"within_s":30}'
    )


def test_subjects_carry_any_identity() -> None:
    """Dots, stars and case in an identity neither break nor merge subjects."""
    subjects = {subject_of(identity) for identity in ("a.b", "a*b", "A.B", "桩-1", ">")}

    assert len(subjects) == 5
    assert all(s.removeprefix("csms.v1.command.").isalnum() for s in subjects)


async def test_a_command_reaches_the_holder_and_its_outcome_returns() -> None:
    """What the station answered comes back whole."""
    courier, seen = Courier(LocalBus()), []
    outcome = Outcome(
        Result.ACCEPTED, {"status": "Accepted"}, variables=(VariableReported("", "K", value="1"),)
    )

    async def deliver(command: Command, within_s: float) -> Outcome:
        seen.append((command, within_s))
        return outcome

    await courier.hold("CS-1", deliver)

    assert await courier.send("CS-1", commands.ClearCache(), 3) == outcome
    assert seen == [(commands.ClearCache(), 3.0)]


async def test_nobody_holds_the_station() -> None:
    """Not connected is known at once, not after a time-out."""
    outcome = await asyncio.wait_for(Courier(LocalBus()).send("CS-1", commands.ClearCache(), 30), 0.5)

    assert outcome.result is Result.NOT_CONNECTED


async def test_a_silent_holder_is_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """A command that was sent and not answered may have been carried out."""
    monkeypatch.setattr("csms.cluster.courier.GRACE_S", 0.0)
    courier = Courier(LocalBus())

    async def deliver(command: Command, within_s: float) -> Outcome:
        await asyncio.sleep(10)
        raise AssertionError

    await courier.hold("CS-1", deliver)

    assert (await courier.send("CS-1", commands.ClearCache(), 0.01)).result is Result.SILENT


async def test_releasing_an_old_hold_leaves_the_new_one() -> None:
    """A replaced connection's clean-up must not cut its replacement off."""
    courier = Courier(LocalBus())

    async def old(command: Command, within_s: float) -> Outcome:
        return Outcome(Result.REJECTED)

    async def new(command: Command, within_s: float) -> Outcome:
        return Outcome(Result.ACCEPTED)

    first = await courier.hold("CS-1", old)
    second = await courier.hold("CS-1", new)
    assert (await courier.send("CS-1", commands.ClearCache(), 1)).result is Result.ACCEPTED

    await first.release()
    assert (await courier.send("CS-1", commands.ClearCache(), 1)).result is Result.ACCEPTED

    await second.release()
    assert (await courier.send("CS-1", commands.ClearCache(), 1)).result is Result.NOT_CONNECTED


async def test_published_messages_reach_every_listener_until_it_stops() -> None:
    """Live events are for whoever listens."""
    bus, heard = LocalBus(), []
    one = await bus.listen("s", lambda m: heard.append((1, m)))
    await bus.listen("s", lambda m: heard.append((2, m)))

    await bus.publish("s", b"a")
    await one.cancel()
    await bus.publish("s", b"b")
    await bus.publish("other", b"c")

    assert heard == [(1, b"a"), (2, b"a"), (2, b"b")]
    await bus.close()
    with pytest.raises(NoResponders):
        await bus.request("s", b"", 1)
