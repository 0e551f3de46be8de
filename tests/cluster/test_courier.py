"""Commands on their way: same contract for every bus."""

import asyncio
from datetime import UTC, datetime
from typing import get_args

import pytest

from csms.cluster.bus import BusAway, BusError, BusLost, LocalBus
from csms.cluster.courier import KINDS, Courier, pack_command, subject_of, unpack_command
from csms.domain import commands
from csms.domain.commands import Command, Order, Outcome, Result
from csms.domain.events import VariableReported
from tests.cluster.natskit import Ends

EXAMPLES: list[Order] = [
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
    commands.CloseSession(7, "key:1:a", "why", datetime(2026, 1, 1, 10, 45, tzinfo=UTC), 23_500),
    commands.AttachStop(8, 7, "key:1:a", "why"),
    commands.DismissStop(8, "key:1:a", "why"),
    commands.Withdraw(7),
    commands.AskTransaction("TX-1"),
    commands.NoteTransaction("TX-1", commands.TransactionSaid(None, is_queued=True)),
]


@pytest.mark.parametrize("command", EXAMPLES, ids=lambda c: type(c).__name__)
def test_a_command_survives_the_way(command: Order) -> None:
    """Packed and unpacked, a command is what it was."""
    assert unpack_command(pack_command(command, 5)) == (command, 5.0, 0)
    assert unpack_command(pack_command(command, 5, 17)) == (command, 5.0, 17)


def test_every_command_has_a_wire_form() -> None:
    """A command added to the domain must be added to the courier."""
    assert {type(c) for c in EXAMPLES} == set(KINDS.values()) == set(get_args(Order))


def test_the_wire_form_is_frozen() -> None:
    """Version 1 must read what older nodes send, and skip what newer ones add."""
    old = b'{"v":1,"command":"StopSession","args":{"transaction_id":"9","newer":1},"within_s":30}'

    assert unpack_command(old) == (commands.StopSession("9"), 30.0, 0)
    assert pack_command(commands.StopSession("9"), 30) == (
        b'{"v":1,"command":"StopSession","args":{"transaction_id":"9"},"within_s":30}'
    )


def test_subjects_carry_any_identity() -> None:
    """Dots, stars and case in an identity neither break nor merge subjects."""
    subjects = {subject_of(identity) for identity in ("a.b", "a*b", "A.B", "桩-1", ">")}

    assert len(subjects) == 5
    assert all(s.removeprefix("csms.v1.command.").isalnum() for s in subjects)


async def accept(command: Command, within_s: float) -> Outcome:
    """A station that does everything."""
    return Outcome(Result.ACCEPTED)


async def reject(command: Command, within_s: float) -> Outcome:
    """A station that does nothing."""
    return Outcome(Result.REJECTED)


async def test_a_command_reaches_the_holder_and_its_outcome_returns(ends: Ends, identity: str) -> None:
    """What the station answered comes back whole."""
    seen = []
    outcome = Outcome(
        Result.ACCEPTED, {"status": "Accepted"}, variables=(VariableReported("", "K", value="1"),)
    )

    async def deliver(command: Command, within_s: float) -> Outcome:
        seen.append((command, within_s))
        return outcome

    await Courier(ends.serving).hold(identity, deliver)
    await ends.settle()

    assert await Courier(ends.asking).send(identity, commands.ClearCache(), 3) == outcome
    assert seen == [(commands.ClearCache(), 3.0)]


async def test_nobody_holds_the_station(ends: Ends, identity: str) -> None:
    """Not connected is known at once, not after a time-out."""
    sending = Courier(ends.asking).send(identity, commands.ClearCache(), 30)

    assert (await asyncio.wait_for(sending, 2)).result is Result.NOT_CONNECTED


async def test_a_silent_holder_is_told_apart(
    ends: Ends, identity: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A command that was sent and not answered may have been carried out."""
    monkeypatch.setattr("csms.cluster.courier.GRACE_S", 0.0)
    gone = asyncio.Event()

    async def deliver(command: Command, within_s: float) -> Outcome:
        await gone.wait()
        return Outcome(Result.SILENT)

    await Courier(ends.serving).hold(identity, deliver)
    await ends.settle()

    outcome = await Courier(ends.asking).send(identity, commands.ClearCache(), 0.01)

    gone.set()
    assert outcome.result is Result.SILENT


async def test_a_holder_that_fails_is_told(ends: Ends, identity: str) -> None:
    """A fault of the other node ends the command at once; the asker hears what it was."""

    async def deliver(command: Command, within_s: float) -> Outcome:
        raise ZeroDivisionError("by zero")

    await Courier(ends.serving).hold(identity, deliver)
    await ends.settle()

    outcome = await Courier(ends.asking).send(identity, commands.ClearCache(), 30)

    assert outcome == Outcome(
        Result.FAILED, reason="The node that was asked failed: ZeroDivisionError: by zero"
    )


async def test_releasing_an_old_hold_leaves_the_new_one(ends: Ends, identity: str) -> None:
    """A replaced connection's clean-up must not cut its replacement off."""
    holder, asker = Courier(ends.serving), Courier(ends.asking)

    first = await holder.hold(identity, reject)
    second = await holder.hold(identity, accept)
    await ends.settle()
    assert (await asker.send(identity, commands.ClearCache(), 5)).result is Result.ACCEPTED

    await first.release()
    await ends.settle()
    assert (await asker.send(identity, commands.ClearCache(), 5)).result is Result.ACCEPTED

    await second.release()
    await ends.settle()
    assert (await asker.send(identity, commands.ClearCache(), 5)).result is Result.NOT_CONNECTED


async def test_the_connection_of_the_highest_epoch_gets_the_command(ends: Ends, identity: str) -> None:
    """Whoever was slow to claim an older connection does not win by being late."""
    await Courier(ends.asking).hold(identity, accept, 8)
    await ends.settle()
    await Courier(ends.serving).hold(identity, reject, 7)
    await ends.settle()

    assert (await Courier(ends.asking).send(identity, commands.ClearCache(), 5)).result is Result.ACCEPTED


class _BrokenBus(LocalBus):
    def __init__(self, error: BusError) -> None:
        super().__init__()
        self._error = error

    async def request(self, subject: str, payload: bytes, within_s: float) -> bytes:
        raise self._error


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (BusAway(), Outcome(Result.FAILED, reason="The message bus is away")),
        (
            BusLost(),
            Outcome(
                Result.SILENT,
                reason="The message bus was lost before the answer came; it may still be carried out",
            ),
        ),
    ],
)
async def test_a_bus_that_fails_makes_an_outcome(error: BusError, outcome: Outcome) -> None:
    """Not sent is one thing, sent and unknown another."""
    assert await Courier(_BrokenBus(error)).send("CS-1", commands.ClearCache(), 5) == outcome
