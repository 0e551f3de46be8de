"""A conversation with one station in memory: time jumps, and every frame can be held to its schema."""

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import jsonschema
import ocpp

from simulators.battery import Car, Supply
from simulators.evse import Evse, Visit
from simulators.facts import Stop
from simulators.misbehaviours import named
from simulators.station import Heard, Station
from simulators.traits import Traits

T0 = datetime(2026, 1, 1, 10, tzinfo=UTC)
VERSIONS = ("1.6", "2.0.1", "2.1")
FOLDERS = {"1.6": "v16", "2.0.1": "v201", "2.1": "v21"}

Payload = dict[str, Any]


@cache
def validator(version: str, action: str, answer: bool) -> Any:
    """The ocpp package's schema for an action's request or response."""
    request = "" if version == "1.6" else "Request"
    name = f"{action}{'Response' if answer else request}.json"
    path = Path(ocpp.__file__).parent / FOLDERS[version] / "schemas" / name
    schema = json.loads(path.read_text(encoding="utf-8-sig"))
    return jsonschema.validators.validator_for(schema)(schema)


def visit(after_s: float = 10, minutes: float = 5, stop: Stop = Stop.LOCAL, **more: Any) -> Visit:
    """A car that comes `after_s` seconds after T0."""
    return Visit(T0 + timedelta(seconds=after_s), "TOKEN1", Car(), 0.3, minutes * 60, stop, **more)


def station(
    version: str, *visits: Visit, evses: int = 1, misbehave: tuple[str, ...] = (), **traits: Any
) -> Station:
    """A station whose first EVSE awaits these visits."""
    seed = Random(5)
    supply = Supply(dc=False, max_w=11_000)
    made = [Evse(number, supply, 1000.0 * number + 0.6, seed, seed) for number in range(1, evses + 1)]
    made[0].expect(*visits)
    return Station(Traits("CS-1", version, **traits), made, Random(6), named(misbehave))


class Talk:
    """Plays the central system. `answer` may be replaced.

    It returns a payload, the code of a CALLERROR, or None: the answer is lost with the socket.
    """

    def __init__(self, one: Station) -> None:
        self.station = one
        self.at = T0
        self.said: list[tuple[str, Payload]] = []
        self.ids: list[str] = []
        self.heard: list[Heard] = []
        self.numbers = iter(range(7001, 8000))
        self.answer: Callable[[str, Payload], Payload | str | None] = self.accept

    def accept(self, action: str, payload: Payload) -> Payload | None:
        """Everything is in order."""
        match action:
            case "BootNotification":
                return {"status": "Accepted", "currentTime": "2026-01-01T10:00:00.000Z", "interval": 300}
            case "StartTransaction":
                return {"transactionId": next(self.numbers), "idTagInfo": {"status": "Accepted"}}
            case "Authorize" if self.station.version == "1.6":
                return {"idTagInfo": {"status": "Accepted"}}
            case "Authorize":
                return {"idTokenInfo": {"status": "Accepted"}}
            case _:
                return {}

    def connect(self) -> None:
        """The socket opens."""
        self.station.connected(self.at)

    def flush(self) -> None:
        """Exchange messages until the station has nothing to say."""
        while self.station.online and (out := self.station.outgoing()) is not None:
            letter, text = out
            frame = json.loads(text)
            self.said.append((frame[2], frame[3]))
            self.ids.append(frame[1])
            answer = self.answer(frame[2], frame[3])
            if answer is None:
                self.station.disconnected(self.at)
                return
            error = isinstance(answer, str)
            reply = [4, letter.message_id, answer, "", {}] if error else [3, letter.message_id, answer]
            self.heard.append(self.station.receive(json.dumps(reply), self.at))

    def step(self) -> bool:
        """Let the next thing happen; False when nothing will."""
        due = self.station.next_due
        if due is None:
            return False
        self.at = max(self.at, due)
        self.station.tick(self.at)
        return True

    def play(self) -> "Talk":
        """Connect and live through every visit."""
        if not self.station.online:
            self.connect()
        self.flush()
        while self.step():
            self.flush()
        return self

    def until(self, action: str) -> "Talk":
        """Live until an action was said."""
        self.connect()
        self.flush()
        while action not in [said for said, _ in self.said] and self.step():
            self.flush()
        return self

    def order(self, action: str, payload: Payload) -> list[Any]:
        """Ask the station; its reply as a frame."""
        heard = self.station.receive(json.dumps([2, "o1", action, payload]), self.at)
        self.heard.append(heard)
        assert heard.reply is not None  # type: ignore[union-attr]  # an order makes Asked
        return json.loads(heard.reply)  # type: ignore[union-attr]  # as above

    def of(self, action: str) -> list[Payload]:
        """The payloads said with one action."""
        return [payload for said, payload in self.said if said == action]

    def actions(self) -> list[str]:
        """The actions in the order in which they were said."""
        return [action for action, _ in self.said]

    def assert_valid(self) -> None:
        """Every CALL obeys its schema."""
        for action, payload in self.said:
            validator(self.station.version, action, False).validate(payload)


async def until(condition: Callable[[], object]) -> None:
    """Wait for a condition that no event tells."""
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - the fake server's lists have no events
            await asyncio.sleep(0.02)
