"""What one connection's messages are answered: by themselves, without whose turn it is."""

import asyncio
import json
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec
import pytest
import structlog

from csms.domain.assets import BootStatus, OcppVersion
from csms.domain.commands import Command, RawCall
from csms.errors import StaleEpoch, StoreUnavailable
from csms.gateway.answers import POLICY, TAKEN_OVER, TRY_AGAIN_LATER, Answers
from csms.gateway.calls import Calls
from csms.gateway.reading import Reading
from csms.handlers.context import MessageInfo, StationState
from csms.protocol.frames import Call, Send
from csms.protocol.rpc import Repeat, Reply, ReplyNotice, Rpc, Stray
from tests.gateway.kit import START, VERSIONS, MemoryDesk, MemoryWire, call, codes, dialect, parts_of

EACH = pytest.mark.parametrize("version", VERSIONS)


@dataclass
class Owner:
    """A connection that only remembers what it was told."""

    is_done: bool = False
    calls: Calls | None = None
    ended: tuple[int, str] | None = None
    commands: list[Command] = field(default_factory=list)

    def end(self, code: int, reason: str) -> None:
        self.is_done = True
        self.ended = self.ended or (code, reason)

    def follow_up(self, command: Command) -> None:
        self.commands.append(command)


class Mouth:
    """Answers with everything they need, and the frames that came of them."""

    def __init__(self, version: OcppVersion, **options: Any) -> None:
        self.desk, self.wire, self.owner = MemoryDesk(), MemoryWire(), Owner()
        status = options.pop("boot_status", BootStatus.ACCEPTED)
        self.parts = parts_of(self.desk, **options)
        station = self.desk.register("CS-1", boot_status=status)
        self.state = StationState(station, dialect(version), 7)
        self.rpc = Rpc(self.state.dialect.errors, self.state.dialect.has_send)
        loop = asyncio.get_running_loop()
        settings = self.parts.settings
        self.reading = Reading(self.wire, settings.messages_per_s, settings.messages_burst, loop)
        self.answers = Answers(self.owner, self.parts, self.state, self.wire, self.rpc, self.reading)

    def hear(self, frame: str) -> Call:
        """A frame that must be a request."""
        message = self.answers.receive(frame.encode())
        assert isinstance(message, Call)
        return message

    async def say(self, frame: str) -> list[Any]:
        """A request, and what was sent."""
        await self.answers.called(self.hear(frame), len(frame))
        return self.take()

    def take(self) -> list[Any]:
        sent, self.wire.sent = self.wire.sent, []
        return sent


@EACH
async def test_a_request_is_read_served_and_answered(version: OcppVersion) -> None:
    """Counted, logged, and followed up after the answer."""
    mouth = Mouth(version)
    mouth.desk.follow_ups = [RawCall("ClearCache", {})]

    assert await mouth.say(call("a", "Heartbeat", {"x": 1})) == [[3, "a", {"n": 1}]]
    assert mouth.owner.commands == [RawCall("ClearCache", {})]
    assert mouth.parts.stats.messages["Heartbeat", "answered"] == 1
    (exchange,) = mouth.desk.exchanges
    assert (exchange.action, exchange.request, exchange.answer) == ("Heartbeat", b'{"x": 1}', b'{"n":1}')


@EACH
async def test_what_must_not_be_lost_is_handed_over_as_it_came(version: OcppVersion) -> None:
    """The handler gets the bytes of transaction messages, to be stored with their effect; of others none."""
    mouth = Mouth(version)

    await mouth.say(call("a", START[version], {"x": 1}))
    await mouth.say(call("b", "Heartbeat", {"x": 1}))

    start, other = (info for _, info, _ in mouth.desk.served)
    assert start.request == b'{"x": 1}'
    assert (other.request, other.payload_hash) == (b"", "")


@EACH
async def test_a_message_that_its_session_keeps_is_not_logged(
    version: OcppVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One place is enough."""
    mouth = Mouth(version)
    serve = mouth.desk.serve

    async def kept(state: StationState, event: Any, info: MessageInfo) -> Any:
        return replace(await serve(state, event, info), is_kept=True)

    monkeypatch.setattr(mouth.desk, "serve", kept)

    assert await mouth.say(call("a", START[version])) == [[3, "a", {"n": 1}]]
    assert mouth.desk.exchanges == []


@EACH
async def test_a_stored_reading_is_answered_with_nothing(version: OcppVersion) -> None:
    """An empty payload, kept for repeats, and counted with its time."""
    mouth = Mouth(version)
    since = asyncio.get_running_loop().time() - 1.0

    mouth.answers.answer_reading(mouth.hear(call("a", "MeterValues")), since)

    assert mouth.take() == [[3, "a", {}]]
    assert mouth.parts.stats.messages["MeterValues", "answered"] == 1
    repeat = mouth.answers.receive(call("a", "MeterValues").encode())
    assert isinstance(repeat, Repeat)
    mouth.answers.other(repeat, b"")
    assert mouth.take() == [[3, "a", {}]]
    assert mouth.parts.stats.messages["any", "repeated"] == 1


@EACH
async def test_a_stored_reading_is_not_answered_after_the_end(version: OcppVersion) -> None:
    """And its id is free again."""
    mouth = Mouth(version)
    message = mouth.hear(call("a", "MeterValues"))
    mouth.owner.is_done = True

    mouth.answers.answer_reading(message, 0.0)

    assert mouth.take() == []
    assert mouth.parts.stats.messages["MeterValues", "answered"] == 0
    assert isinstance(mouth.answers.receive(call("a", "MeterValues").encode()), Call)


@EACH
@pytest.mark.parametrize(
    ("failure", "ended"),
    [
        (StoreUnavailable(), (TRY_AGAIN_LATER, "cannot store now")),
        (StaleEpoch(7), (TAKEN_OVER, "a newer connection is open")),
    ],
    ids=["unavailable", "stale"],
)
async def test_what_cannot_be_stored_is_left_unanswered(
    version: OcppVersion, failure: StoreUnavailable | StaleEpoch, ended: tuple[int, str]
) -> None:
    """The connection ends; the id is free again; in whatever way it was found out."""
    mouth, other = Mouth(version), Mouth(version)

    def fail(info: MessageInfo, data: Any) -> None:
        raise failure

    mouth.desk.before = fail
    assert await mouth.say(call("a", "Heartbeat")) == []
    other.answers.leave_unanswered(other.hear(call("a", "Heartbeat")).message_id, failure)

    for one in (mouth, other):
        assert one.owner.ended == ended
        assert (one.take(), one.desk.exchanges) == ([], [])
        assert isinstance(one.answers.receive(call("a", "Heartbeat").encode()), Call)


@EACH
async def test_a_handler_that_fails_says_nothing_of_why(version: OcppVersion) -> None:
    """R23: InternalError, counted as failed."""
    mouth = Mouth(version)
    mouth.desk.before = lambda info, data: 1 / 0

    with structlog.testing.capture_logs() as logs:
        assert await mouth.say(call("a", "Heartbeat")) == [[4, "a", "InternalError", "internal error", {}]]

    assert [entry["event"] for entry in logs] == ["handler_failed"]
    assert mouth.parts.stats.messages["Heartbeat", "failed"] == 1


@EACH
async def test_refusals_are_counted_and_logged(version: OcppVersion) -> None:
    """A payload, an unknown action (without its name), a station that is not accepted."""
    mouth = Mouth(version)
    (refused,) = await mouth.say(call("a", "Heartbeat", {"bad": True}))
    (unknown,) = await mouth.say(call("b", "Nonsense"))
    (early,) = await Mouth(version, boot_status=BootStatus.PENDING).say(call("c", "Heartbeat"))

    assert [m[2] for m in (refused, unknown, early)] == [
        codes(version).type_constraint,
        "NotImplemented",
        "SecurityError",
    ]
    assert mouth.parts.stats.messages["Heartbeat", "refused"] == 1
    assert mouth.parts.stats.messages["unknown", "refused"] == 1
    assert [one.outcome for one in mouth.desk.exchanges] == [codes(version).type_constraint, "NotImplemented"]


async def test_a_send_is_followed_up_too() -> None:
    """2.1 SEND has no answer, but what it is the first to tell may have to be asked about."""
    mouth = Mouth(OcppVersion.V21)
    mouth.desk.follow_ups = [RawCall("ClearCache", {})]
    message = mouth.answers.receive(b'[6,"a","NotifyPeriodicEventStream",{}]')
    assert isinstance(message, Send)

    await mouth.answers.told(message, 10)

    assert mouth.take() == []
    assert mouth.owner.commands == [RawCall("ClearCache", {})]


@EACH
async def test_nothing_is_sent_after_the_end(version: OcppVersion) -> None:
    """Neither answers nor refusals nor repeats, nor is anything followed up."""
    mouth = Mouth(version)
    await mouth.say(call("a", "Heartbeat"))
    good, bad = mouth.hear(call("b", "Heartbeat")), mouth.hear(call("c", "Nonsense"))
    mouth.desk.follow_ups = [RawCall("ClearCache", {})]
    mouth.owner.is_done = True

    await mouth.answers.called(good, 10)
    await mouth.answers.called(bad, 10)
    mouth.answers.other(Repeat("a", b'[3,"a",{}]'), b"")
    assert mouth.answers.receive(b"not json") is None

    assert mouth.take() == []
    assert mouth.owner.commands == []


@EACH
async def test_too_many_bad_frames_end_the_connection(version: OcppVersion) -> None:
    """R01: the station waits after that; ten in a minute are put up with."""
    mouth = Mouth(version)

    with structlog.testing.capture_logs() as logs:
        for n in range(11):
            assert mouth.owner.ended is None, n
            assert mouth.answers.receive(b"not json") is None

    assert mouth.owner.ended == (POLICY, "too many protocol errors")
    assert mouth.parts.admission.penalty_of("CS-1") > 0
    assert [entry["event"] for entry in logs] == ["frame_refused", "station_broke_protocol"]
    assert sum(mouth.parts.stats.bad_frames.values()) == 11


async def test_bad_frames_of_another_minute_count_anew() -> None:
    """Ten a minute for an hour are no reason to part."""
    mouth = Mouth(OcppVersion.V16)
    now = 0.0
    mouth.answers._clock = lambda: now

    for _ in range(20):
        now += 7.0
        assert mouth.answers.receive(b"not json") is None

    assert mouth.owner.ended is None


@EACH
async def test_putting_payloads_right_counts_as_messages(version: OcppVersion) -> None:
    """Two deviations cost as much as a message."""
    mouth = Mouth(version, messages_per_s=1, messages_burst=5)

    def deviate(info: MessageInfo, data: Any) -> None:
        mouth.state.deviations += 40

    mouth.desk.before = deviate
    await mouth.say(call("a", "Heartbeat"))
    assert not mouth.wire.is_paused
    await mouth.say(call("b", "Heartbeat"))

    assert mouth.wire.is_paused
    mouth.reading.stop()


async def test_sends_are_never_answered() -> None:
    """R21: served; refusals and failures are only logged; what cannot be stored ends the connection."""
    mouth = Mouth(OcppVersion.V21)

    def send(action: str, payload: bytes = b"{}") -> Send:
        return Send("a", action, msgspec.Raw(payload))

    await mouth.answers.told(send("NotifyPeriodicEventStream"), 10)
    await mouth.answers.told(send("Nonsense"), 10)
    await mouth.answers.told(send("Heartbeat", b'{"bad":true}'), 10)
    assert mouth.desk.actions == ["NotifyPeriodicEventStream"]
    assert [one.outcome for one in mouth.desk.exchanges] == ["NotImplemented", "TypeConstraintViolation"]

    def fail(info: MessageInfo, data: Any) -> None:
        raise StoreUnavailable

    mouth.desk.before = fail
    await mouth.answers.told(send("NotifyPeriodicEventStream"), 10)

    assert mouth.owner.ended == (TRY_AGAIN_LATER, "cannot store now")
    assert mouth.take() == []


@EACH
async def test_what_is_neither_request_nor_reply_to_anything(version: OcppVersion) -> None:
    """R14, R16: counted or noted; no answer."""
    mouth = Mouth(version)

    mouth.answers.other(Reply("a", "Reset", b"{}"), b"")
    mouth.answers.other(Stray("b"), b'[3,"b",{}]')
    with structlog.testing.capture_logs() as logs:
        mouth.answers.other(ReplyNotice("c", "FormatViolation", "why", b"{}"), b"")
    ignored = mouth.answers.receive(json.dumps([2, "d", "Heartbeat", {}]).encode())
    again = mouth.answers.receive(json.dumps([2, "d", "Heartbeat", {}]).encode())
    assert isinstance(ignored, Call)
    assert again is not None
    mouth.answers.other(again, b"")

    assert mouth.take() == []
    assert dict(mouth.parts.stats.bad_frames) == {"stray": 1, "ignored": 1}
    assert [entry["event"] for entry in logs] == ["answer_was_refused"]
