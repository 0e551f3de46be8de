"""Carries a command to a charging station, wherever it is connected. Knows no socket and no dialect.

A command is addressed to the station, never to a node: the node that holds the socket serves the
station's subject. The wire form is version 1 and frozen: fields may be added, never changed, so that two
releases can run side by side.
"""

import base64
import dataclasses
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

import msgspec

from csms.cluster.bus import Bus, BusError, BusLost, NoResponders, Subscription
from csms.domain import commands
from csms.domain.commands import Order, Outcome, Result


class Deliver(Protocol):
    """Tells the station that is connected here."""

    def __call__(self, command: Order, within_s: float, number: int = 0, /) -> Awaitable[Outcome]:
        """`number`: what the command is known by; 0 for one that nobody takes back."""


PREFIX = "csms.v1.command."
SEATED = "csms.v1.seated"  # a station has a new connection, with this epoch
STATION_CHANGED = "csms.v1.station-changed"  # its registration is another one
GRACE_S = 2.0  # how much longer the asker waits than the holder, so that the holder's verdict arrives

KINDS: dict[str, type] = {
    kind.__name__: kind
    for kind in (
        commands.StartSession,
        commands.StopSession,
        commands.Reset,
        commands.UnlockConnector,
        commands.TriggerMessage,
        commands.ChangeAvailability,
        commands.SetVariables,
        commands.GetVariables,
        commands.GetBaseReport,
        commands.ClearCache,
        commands.SendData,
        commands.RawCall,
        commands.CloseSession,
        commands.AttachStop,
        commands.DismissStop,
        commands.Withdraw,
        commands.AskTransaction,
        commands.NoteTransaction,
    )
}


def subject_of(identity: str) -> str:
    """The station's subject. Base32, because identities may hold characters that subjects may not."""
    return PREFIX + base64.b32encode(identity.encode()).decode().rstrip("=")


def pack_command(command: Order, within_s: float, number: int = 0) -> bytes:
    """A command as it travels between nodes."""
    args = {f.name: getattr(command, f.name) for f in dataclasses.fields(command)}
    return msgspec.json.encode(
        {"v": 1, "command": type(command).__name__, "args": args, "within_s": within_s}
        | ({"number": number} if number else {})
    )


def unpack_command(message: bytes) -> tuple[Order, float, int]:
    """The command, the seconds it may take, its number or 0. Fields of newer releases are left out."""
    form: dict[str, Any] = msgspec.json.decode(message)
    command: Order = msgspec.convert(form["args"], KINDS[form["command"]])
    return command, float(form["within_s"]), int(form.get("number", 0))


class Seated(msgspec.Struct):
    """A station has connected; whoever holds an earlier connection parts with it."""

    identity: str
    epoch: int


class Hold:
    """A node's claim to be the one that reaches a station. Releasing an old one leaves a newer one."""

    def __init__(self, subscription: Subscription) -> None:
        self._subscription = subscription

    async def release(self) -> None:
        """Give the claim up."""
        await self._subscription.cancel()


class Courier:
    """Sends commands over a bus, and receives those for the stations this node holds."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    async def hold(self, identity: str, deliver: Deliver, epoch: int = 0) -> Hold:
        """Take commands for a station that is connected here.

        `epoch` is the connection's: of two nodes that believe they have the station, the newer one is asked.
        """

        async def serve(message: bytes) -> bytes:
            command, within_s, number = unpack_command(message)
            asked = deliver(command, within_s, number) if number else deliver(command, within_s)
            return msgspec.json.encode(await asked)

        hold = Hold(await self._bus.serve(subject_of(identity), serve, epoch))
        await self._bus.publish(SEATED, msgspec.json.encode(Seated(identity, epoch)))
        return hold

    async def station_changed(self, identity: str) -> None:
        """Tell whoever holds the station that its registration was changed."""
        await self._bus.publish(STATION_CHANGED, identity.encode())

    async def hear(self, seated: Callable[[str, int], None], changed: Callable[[str], None]) -> None:
        """`seated(identity, epoch)` hears of every connection of a station, `changed(identity)` of every
        registration that was changed, this node's own included.
        """

        def told(message: bytes) -> None:
            form = msgspec.json.decode(message, type=Seated)
            seated(form.identity, form.epoch)

        await self._bus.listen(SEATED, told)
        await self._bus.listen(STATION_CHANGED, lambda identity: changed(identity.decode()))

    async def send(self, identity: str, command: Order, within_s: float, number: int = 0) -> Outcome:
        """Deliver `command` and return what came of it; never raises for what a station or node does.

        `within_s` (seconds) covers waiting behind other commands and the station's own time; `number` is
        what `Withdraw` can take it back by.
        """
        try:
            answer = await self._bus.request(
                subject_of(identity), pack_command(command, within_s, number), within_s + GRACE_S
            )
        except NoResponders:
            return Outcome(Result.NOT_CONNECTED, reason="no connection of this charging station is open")
        except BusLost as exc:
            return Outcome(Result.SILENT, reason=str(exc))
        except BusError as exc:
            return Outcome(Result.FAILED, reason=str(exc))
        except TimeoutError:
            return Outcome(
                Result.SILENT, reason=f"no answer within {within_s:g} s; it may still be carried out"
            )
        return msgspec.json.decode(answer, type=Outcome)
