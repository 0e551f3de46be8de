"""The actor of one station, over a wire that ends in lists. R rows, for every version where they apply."""

import asyncio
import json
from typing import Any

import pytest
import structlog

from csms.domain.assets import BootStatus, OcppVersion
from csms.domain.commands import (
    AskTransaction,
    CloseSession,
    NoteTransaction,
    Outcome,
    RawCall,
    Result,
    TransactionSaid,
)
from csms.errors import StaleEpoch, StoreError, StoreUnavailable
from csms.gateway.answers import POLICY, TAKEN_OVER, TRY_AGAIN_LATER
from csms.gateway.connection import Connection
from csms.handlers.context import MessageInfo, StationState
from csms.store.writer import RowRefused
from tests.gateway.kit import START, VERSIONS, MemoryDesk, MemoryWire, call, codes, dialect, parts_of, until

EACH = pytest.mark.parametrize("version", VERSIONS)
V2 = pytest.mark.parametrize("version", VERSIONS[1:])


class Station:
    """An actor, its wire and its desk."""

    def __init__(self, version: OcppVersion, **options: Any) -> None:
        self.desk = MemoryDesk()
        status = options.pop("boot_status", BootStatus.ACCEPTED)
        self.parts = parts_of(self.desk, **options)
        self.wire = MemoryWire()
        station = self.desk.register("CS-1", boot_status=status)
        self.connection = Connection(self.parts, StationState(station, dialect(version), 7), self.wire)
        self.start = START[version]
        self.codes = codes(version)

    def feed(self, *frames: str | bytes) -> None:
        for frame in frames:
            self.connection.feed(frame if isinstance(frame, bytes) else frame.encode())

    async def say(self, *frames: str | bytes) -> list[Any]:
        """Feed, wait until all is dealt with, and take what was sent."""
        self.feed(*frames)
        await self.connection.settled()
        return self.take()

    def take(self) -> list[Any]:
        sent, self.wire.sent = self.wire.sent, []
        return sent


def error(message_id: str, code: str, sent: list[Any]) -> bool:
    return len(sent) == 1 and sent[0][:3] == [4, message_id, code]


@EACH
async def test_a_call_is_answered(version: OcppVersion) -> None:
    """The handler's payload, under the call's id; nothing is left behind."""
    station = Station(version)

    assert await station.say(call("a", "Heartbeat")) == [[3, "a", {"n": 1}]]
    assert not station.connection.is_busy
    assert station.parts.stats.messages["Heartbeat", "answered"] == 1
    assert sum(station.parts.stats.latency) == 1
    assert station.parts.budget.used == 0


@EACH
async def test_what_a_handler_learns_of_a_message(version: OcppVersion) -> None:
    """Id, action and time; a hash of the payload for what a station must not lose."""
    station = Station(version)

    await station.say(call("a", "Heartbeat"), call("b", station.start, {"x": 1}))

    heartbeat, start = (info for _, info, _ in station.desk.served)
    assert (heartbeat.message_id, heartbeat.action, heartbeat.payload_hash) == ("a", "Heartbeat", "")
    assert len(start.payload_hash) == 32
    assert start.arrived == station.desk.now()


@EACH
async def test_r01_unreadable_frames(version: OcppVersion) -> None:
    """R01: 2.x answers with id "-1", 1.6 counts; the station goes on being served."""
    station = Station(version)
    for frame in ("not json", "{", "{}", "[]", "[2]", '[2,"x"]', "null", "7", '"s"'):
        sent = await station.say(frame)
        expected = [] if version is OcppVersion.V16 else [[4, "-1", "RpcFrameworkError"]]
        assert [m[:3] for m in sent] == expected, frame

    assert len(await station.say(call("a", "Heartbeat"))) == 1
    assert sum(station.parts.stats.bad_frames.values()) == 9


@EACH
async def test_r01_ten_in_a_minute_are_enough(version: OcppVersion) -> None:
    """R01: the eleventh bad frame closes with 1008, and the station waits."""
    station = Station(version)

    await station.say(*["not json"] * 11, call("a", "Heartbeat"))

    assert station.wire.closed == (POLICY, "too many protocol errors")
    assert station.desk.served == []
    assert station.parts.admission.penalty_of("CS-1") > 0


@EACH
async def test_r02_unknown_message_types(version: OcppVersion) -> None:
    """R02: the payload is ignored; no handler runs."""
    station = Station(version)

    await station.say('[0,"a","Heartbeat",{}]', '[9,"b","Heartbeat",{}]', '["2","c","Heartbeat",{}]')

    assert station.desk.served == []
    assert station.wire.closed is None


@EACH
async def test_r03_bad_message_ids(version: OcppVersion) -> None:
    """R03: no handler runs for an id that is none."""
    station = Station(version)

    for message_id in (1, None, "", "x" * 37, "a\0b"):
        await station.say(json.dumps([2, message_id, "Heartbeat", {}]))

    assert station.desk.served == []


@EACH
async def test_r04_a_repeat_gets_the_same_answer(version: OcppVersion) -> None:
    """R04: same id, same payload: one effect, the same bytes."""
    station = Station(version)
    frame = call("a", station.start, {"x": 1})

    assert await station.say(frame) == await station.say(frame)
    assert len(station.desk.served) == 1


@EACH
async def test_r05_an_id_used_again_for_something_else(version: OcppVersion) -> None:
    """R05: an error, and nothing is applied."""
    station = Station(version)
    await station.say(call("a", station.start, {"x": 1}))

    sent = await station.say(call("a", station.start, {"x": 2}))

    assert error("a", station.codes.protocol, sent)
    assert len(station.desk.served) == 1


@EACH
async def test_r06_a_repeat_while_the_first_runs(version: OcppVersion) -> None:
    """R06: one execution; it waits its turn and gets the stored answer."""
    station = Station(version)
    station.desk.before = lambda info, data: asyncio.sleep(0.01)
    frame = call("a", station.start)

    sent = await station.say(frame, frame)

    assert sent == [[3, "a", {"n": 1}]] * 2
    assert len(station.desk.served) == 1


@EACH
@pytest.mark.parametrize("action", ["Heart", "heartbeat", "HeartbeatRequest", "__init__", ""])
async def test_r07_unknown_actions(version: OcppVersion, action: str) -> None:
    """R07: NotImplemented, logged once for each name."""
    station = Station(version)

    with structlog.testing.capture_logs() as logs:
        for message_id in "ab":
            sent = await station.say(call(message_id, action))
            assert error(message_id, "NotImplemented", sent)

    assert [entry["event"] for entry in logs] == ["action_refused"]
    assert station.parts.stats.messages["unknown", "refused"] == 2


@EACH
async def test_r08_known_but_not_supported(version: OcppVersion) -> None:
    """R08: NotSupported."""
    assert error("a", "NotSupported", await Station(version).say(call("a", "FirmwareStatusNotification")))


@EACH
async def test_r12_a_refused_payload(version: OcppVersion) -> None:
    """R09-R12: the code the reader gives, under the call's id; the same call may come again."""
    station = Station(version)

    for _ in range(2):
        sent = await station.say(call("a", "Heartbeat", {"bad": True}))
        assert error("a", station.codes.type_constraint, sent)
    assert station.wire.closed is None


@EACH
async def test_r13_wrong_number_of_elements(version: OcppVersion) -> None:
    """R13: a CALL of five is an error, a CALLRESULT of two is dropped."""
    station = Station(version)

    assert len(await station.say('[2,"a","Heartbeat",{},{}]')) == 1
    assert await station.say('[3,"a"]') == []
    assert station.desk.served == []


@EACH
async def test_r14_replies_to_nothing(version: OcppVersion) -> None:
    """R14: dropped and counted; nothing is kept of them."""
    station = Station(version, messages_burst=100_000)

    for n in range(20_000):
        station.feed(b'[3,"%d",{}]' % n)
    await station.connection.settled()

    assert station.take() == []
    assert station.parts.stats.bad_frames["stray"] == 20_000
    assert station.connection.calls is None


@EACH
async def test_r15_a_reply_belongs_to_its_connection(version: OcppVersion) -> None:
    """R15: another station cannot answer a call, even with the right id."""
    asked, other = Station(version, call_timeout_s=0.05), Station(version)
    command = asyncio.create_task(asked.connection.command(RawCall("ClearCache", {}), 5))
    await until(lambda: len(asked.wire.sent) == 1)
    message_id = asked.wire.sent[0][1]

    await other.say(json.dumps([3, message_id, {"status": "Accepted"}]))

    assert (await command).result is Result.SILENT


@EACH
async def test_r19_crossing_calls(version: OcppVersion) -> None:
    """R19: a command does not wait for a message, nor a message for a command."""
    station = Station(version)
    command = asyncio.create_task(station.connection.command(RawCall("ClearCache", {}), 5))
    await until(lambda: len(station.wire.sent) == 1)
    message_id = station.take()[0][1]

    assert await station.say(call("a", "Heartbeat")) == [[3, "a", {"n": 1}]]
    station.feed(json.dumps([3, message_id, {"status": "Accepted"}]))

    assert (await command).result is Result.ACCEPTED


@EACH
async def test_r19_a_reply_passes_a_call_that_waits_for_its_commit(version: OcppVersion) -> None:
    """R19: the directions are independent."""
    station = Station(version)
    gate = asyncio.Event()
    station.desk.before = lambda info, data: gate.wait()
    command = asyncio.create_task(station.connection.command(RawCall("ClearCache", {}), 5))
    await until(lambda: len(station.wire.sent) == 1)
    station.feed(call("a", "Heartbeat"), call("b", "Heartbeat"))

    station.feed(json.dumps([3, station.take()[0][1], {"status": "Accepted"}]))

    assert (await command).result is Result.ACCEPTED
    assert station.desk.served == []
    gate.set()
    await station.connection.settled()
    assert [m[1] for m in station.take()] == ["a", "b"]


@EACH
async def test_r20_fifty_calls_at_once(version: OcppVersion) -> None:
    """R20: in order, none lost; reading pauses while more than eight wait."""
    station = Station(version)
    station.desk.before = lambda info, data: asyncio.sleep(0)

    station.feed(*[call(str(n), "Heartbeat") for n in range(50)])
    assert station.wire.is_paused
    assert station.parts.budget.used > 0
    await station.connection.settled()

    assert [m[1] for m in station.take()] == [str(n) for n in range(50)]
    assert not station.wire.is_paused
    assert station.wire.pauses == 1
    assert station.parts.budget.used == 0


async def test_the_budget_of_all_connections() -> None:
    """When much waits everywhere, a second waiting frame is enough to stop reading."""
    station = Station(OcppVersion.V16, max_queued_bytes=10)
    station.desk.before = lambda info, data: asyncio.sleep(0)

    station.feed(call("a", "Heartbeat"), call("b", "Heartbeat"))
    assert station.wire.is_paused
    await station.connection.settled()

    assert not station.wire.is_paused
    assert len(station.take()) == 2


async def test_r21_send_is_never_answered() -> None:
    """R21: type 6 on 2.1 reaches its handler; neither success nor error is answered."""
    station = Station(OcppVersion.V21)

    assert await station.say('[6,"a","NotifyPeriodicEventStream",{}]') == []
    assert station.desk.actions == ["NotifyPeriodicEventStream"]
    assert await station.say('[6,"b","Nonsense",{}]', '[6,"c","Heartbeat",{"bad":true}]') == []
    station.desk.before = lambda info, data: 1 / 0
    assert await station.say('[6,"d","NotifyPeriodicEventStream",{}]') == []


@pytest.mark.parametrize("version", VERSIONS[:2])
async def test_r21_send_is_unknown_before_2_1(version: OcppVersion) -> None:
    """R21: ignored on 1.6; 2.0.1 has a code for an unknown type."""
    station = Station(version)

    sent = await station.say('[6,"a","Heartbeat",{}]')

    assert station.desk.served == []
    assert len(sent) == (0 if version is OcppVersion.V16 else 1)


async def test_r16_our_answer_was_refused() -> None:
    """R16: a CALLRESULTERROR of 2.1 is noted, and not answered."""
    station = Station(OcppVersion.V21)

    with structlog.testing.capture_logs() as logs:
        assert await station.say('[5,"a","FormatViolation","what is this",{}]') == []

    assert logs[0]["event"] == "answer_was_refused"


@EACH
async def test_r23_a_handler_fails(version: OcppVersion) -> None:
    """R23: InternalError without a word of why; logged once; the next message is served."""
    station = Station(version)

    def fail(info: MessageInfo, data: Any) -> None:
        raise RuntimeError("password=hunter2 \udcff")

    station.desk.before = fail
    with structlog.testing.capture_logs() as logs:
        sent = await station.say(call("a", "Heartbeat"))
    station.desk.before = None

    assert sent == [[4, "a", "InternalError", "internal error", {}]]
    assert [entry["event"] for entry in logs] == ["handler_failed"]
    assert await station.say(call("b", "Heartbeat")) == [[3, "b", {"n": 1}]]


@EACH
@pytest.mark.parametrize("status", [BootStatus.PENDING, BootStatus.REJECTED])
async def test_r24_who_is_not_accepted_may_only_boot(version: OcppVersion, status: BootStatus) -> None:
    """R24: SecurityError before the payload is looked at, also when it is malformed or unknown."""
    station = Station(version, boot_status=status)

    for message_id, action, payload in (
        ("a", "Heartbeat", {}),
        ("b", "Heartbeat", {"bad": True}),
        ("c", "Nonsense", {}),
    ):
        assert error(message_id, "SecurityError", await station.say(call(message_id, action, payload)))
    assert await station.say(call("d", "BootNotification")) == [[3, "d", {"n": 1}]]
    assert station.desk.actions == ["BootNotification"]


@EACH
async def test_r25_an_accepted_station_need_not_boot_again(version: OcppVersion) -> None:
    """R25: served from its first message."""
    assert await Station(version).say(call("a", "StatusNotification")) == [[3, "a", {"n": 1}]]


@EACH
async def test_w13_a_flood_is_read_slower_and_loses_nothing(version: OcppVersion) -> None:
    """W13: beyond the burst reading pauses; every message is handled."""
    station = Station(version, messages_per_s=200, messages_burst=20, max_queued_frames=1000)

    started = asyncio.get_running_loop().time()
    for n in range(40):
        await until(lambda: not station.wire.is_paused)
        station.feed(call(str(n), station.start, {"n": n}))
        await station.connection.settled()

    assert len(station.desk.served) == 40
    assert station.parts.stats.read_pauses > 0
    assert asyncio.get_running_loop().time() - started >= 0.08


@EACH
async def test_nothing_is_answered_when_nothing_can_be_stored(version: OcppVersion) -> None:
    """No answer and no error: closed with 1013, and what waits is left to the station."""
    station = Station(version)

    def fail(info: MessageInfo, data: Any) -> None:
        raise StoreUnavailable

    station.desk.before = fail
    sent = await station.say(call("a", station.start), call("b", station.start))

    assert sent == []
    assert station.wire.closed == (TRY_AGAIN_LATER, "cannot store now")
    assert station.parts.budget.used == 0


@EACH
async def test_a_newer_connection_elsewhere_ends_this_one(version: OcppVersion) -> None:
    """The store knows a newer epoch: no answer, 4001."""
    station = Station(version)

    def fail(info: MessageInfo, data: Any) -> None:
        raise StaleEpoch(7)

    station.desk.before = fail

    assert await station.say(call("a", station.start)) == []
    assert station.wire.closed is not None
    assert station.wire.closed[0] == TAKEN_OVER


@EACH
async def test_what_was_received_is_stored_although_the_wire_is_gone(version: OcppVersion) -> None:
    """T29: the station will send it again, and then it is known."""
    station = Station(version)
    station.desk.before = lambda info, data: asyncio.sleep(0)
    station.feed(call("a", station.start), call("b", station.start))

    station.connection.lost()
    station.wire.closed = None
    await station.connection.idle()

    assert len(station.desk.served) == 2


async def test_nothing_is_answered_after_the_end() -> None:
    """W15: a message whose handler outlives the connection gets no answer."""
    station = Station(OcppVersion.V16)
    station.desk.before = lambda info, data: asyncio.sleep(0.01)
    station.feed(call("a", "Heartbeat"), call("b", "Heartbeat"))
    await asyncio.sleep(0)

    station.connection.end(1012, "service restart")
    await station.connection.idle()

    assert station.take() == []
    assert len(station.desk.served) == 1
    station.feed(call("c", "Heartbeat"))
    assert not station.connection.is_busy


async def test_a_message_that_takes_too_long() -> None:
    """After the handler's limit: no answer, 1013, and the actor is free."""
    station = Station(OcppVersion.V16)
    station.desk.before = lambda info, data: asyncio.Event().wait()
    station.feed(call("a", "Heartbeat"))
    await asyncio.sleep(0)
    now = asyncio.get_running_loop().time()

    assert not station.connection.give_up_overdue(now + 19)
    assert station.connection.give_up_overdue(now + 21)
    await station.connection.idle()

    assert station.take() == []
    assert station.wire.closed == (TRY_AGAIN_LATER, "cannot store now")


@EACH
async def test_a_message_too_big_for_its_kind(version: OcppVersion) -> None:
    """What is neither transaction nor report has a smaller limit; the frame's size is named."""
    station = Station(version, max_small_message_bytes=200)
    big = {"x": "y" * 300}

    with structlog.testing.capture_logs() as logs:
        sent = await station.say(call("a", "StatusNotification", big))

    assert error("a", "PropertyConstraintViolation", sent)
    assert logs[0]["bytes"] > 300
    assert await station.say(call("b", station.start, big)) == [[3, "b", {"n": 1}]]


@V2
async def test_reports_may_be_big(version: OcppVersion) -> None:
    """Their parts are as large as the station makes them."""
    station = Station(version, max_small_message_bytes=200)

    assert await station.say(call("a", "NotifyReport", {"x": "y" * 300})) == [[3, "a", {"n": 1}]]


@EACH
async def test_follow_ups_go_out_after_the_answer(version: OcppVersion) -> None:
    """And do not hold up the next message."""
    station = Station(version)
    station.desk.follow_ups = [RawCall("ClearCache", {})]

    station.feed(call("a", "BootNotification"), call("b", "Heartbeat"))
    await until(lambda: len(station.wire.sent) == 3)

    sent = station.take()
    assert sent[0] == [3, "a", {"n": 1}]
    assert [3, "b", {"n": 2}] in sent
    (outgoing,) = [m for m in sent if m[0] == 2]
    station.feed(json.dumps([3, outgoing[1], {"status": "Accepted"}]))
    await station.connection.settled()
    assert station.parts.stats.commands["RawCall", "accepted"] == 1


@EACH
async def test_the_message_log(version: OcppVersion) -> None:
    """Requests and answers both ways, also refusals; switched off nothing is kept."""
    station = Station(version)
    await station.say(call("a", station.start, {"x": 1}), call("b", "Nonsense"))

    first, second = station.desk.exchanges
    assert first[:1] + first[2:6] == (1, "in", "a", station.start, b'{"x": 1}')
    assert (first.answer, first.outcome) == (b'{"n":1}', "answered")
    assert first.latency_us is not None
    assert (second.action, second.outcome) == ("Nonsense", "NotImplemented")

    quiet = Station(version, keep_log=False)
    await quiet.say(call("a", "Heartbeat"), call("b", "Nonsense"))
    assert quiet.desk.exchanges == []


async def test_a_closed_connection_takes_no_commands() -> None:
    """Known at once."""
    station = Station(OcppVersion.V16)
    station.connection.lost()

    assert (await station.connection.command(RawCall("ClearCache", {}), 5)).result is Result.NOT_CONNECTED


def reading(message_id: str, **payload: Any) -> str:
    """A message that the desk takes as a reading; one that says `odd` it does not."""
    return call(message_id, "MeterValues", payload)


class Metering(Station):
    """An actor whose desk takes readings."""

    def __init__(self, version: OcppVersion, **options: Any) -> None:
        super().__init__(version, **options)
        self.desk.takes_readings = True

    @property
    def noted(self) -> list[str]:
        """The readings that the desk heard are stored."""
        return [taken.transaction_id for taken in self.desk.noted]

    def commit(self, refusal: StoreError | None = None) -> list[Any]:
        """The store has its say about the oldest reading; what is sent at once."""
        self.desk.commit(refusal)
        return self.take()


@EACH
async def test_a_reading_is_answered_when_it_is_stored(version: OcppVersion) -> None:
    """An empty payload, after the desk has noted it; no task, no handler, no entry in the log."""
    station = Metering(version)

    station.feed(reading("a"))
    assert station.connection.is_busy
    assert station.take() == []
    await asyncio.sleep(0.01)
    assert station.take() == []

    assert station.commit() == [[3, "a", {}]]
    assert station.noted == ["a"]
    assert not station.connection.is_busy
    assert station.connection._worker is None
    assert (station.desk.served, station.desk.exchanges) == ([], [])
    assert station.parts.stats.messages["MeterValues", "answered"] == 1
    assert sum(station.parts.stats.latency) == 1


@EACH
async def test_an_odd_reading_is_served_like_any_message(version: OcppVersion) -> None:
    """What the desk does not take as a reading goes to its handler."""
    station = Metering(version)

    assert await station.say(reading("a", odd=1)) == [[3, "a", {"n": 1}]]
    assert station.desk.in_flight == []
    assert station.desk.actions == ["MeterValues"]


@EACH
async def test_a_big_reading_is_served_like_any_message(version: OcppVersion) -> None:
    """Beyond the small messages' limit."""
    station = Metering(version, max_small_message_bytes=200)

    assert await station.say(reading("a", x="y" * 300)) == [[3, "a", {"n": 1}]]
    assert station.desk.in_flight == []


@EACH
async def test_other_messages_are_no_readings(version: OcppVersion) -> None:
    """Only what the dialect says may be one is offered."""
    station = Metering(version)

    assert await station.say(call("a", "Heartbeat")) == [[3, "a", {"n": 1}]]
    assert station.desk.in_flight == []


@EACH
async def test_what_comes_while_a_reading_is_stored_waits_its_turn(version: OcppVersion) -> None:
    """One at a time, in order, whatever they are."""
    station = Metering(version)

    station.feed(reading("a"), call("b", "Heartbeat"), reading("c"), call("d", "Heartbeat"))
    await asyncio.sleep(0.01)
    assert station.desk.served == []
    assert len(station.desk.in_flight) == 1
    assert station.parts.budget.used > 0
    sent = station.commit()
    await station.connection.settled()

    assert [m[1] for m in sent + station.take()] == ["a", "b", "c", "d"]
    assert [info.message_id for _, info, _ in station.desk.served] == ["b", "c", "d"]
    assert station.parts.budget.used == 0
    station.feed(reading("e"))
    assert station.commit() == [[3, "e", {}]]


@EACH
async def test_a_reading_after_a_message_waits_for_it(version: OcppVersion) -> None:
    """It is not taken before its turn."""
    station = Metering(version)
    gate = asyncio.Event()
    station.desk.before = lambda info, data: gate.wait()

    station.feed(call("a", "Heartbeat"), reading("b"))
    await asyncio.sleep(0.01)
    assert station.desk.in_flight == []
    gate.set()
    await station.connection.settled()

    assert [m[1] for m in station.take()] == ["a", "b"]


@EACH
async def test_too_much_waits_for_a_reading(version: OcppVersion) -> None:
    """R20: fifty at once: reading pauses, nothing is lost, and it goes on."""
    station = Metering(version)

    station.feed(*[reading(str(n)) for n in range(50)])
    assert station.wire.is_paused
    sent = station.commit()
    await station.connection.settled()

    assert [m[1] for m in sent + station.take()] == [str(n) for n in range(50)]
    assert not station.wire.is_paused
    assert station.wire.pauses == 1
    assert station.parts.budget.used == 0


@EACH
async def test_one_that_waits_for_a_reading_is_enough_over_budget(version: OcppVersion) -> None:
    """Much waits everywhere: reading stops, and goes on when it was dealt with."""
    station = Metering(version, max_queued_bytes=10)

    station.feed(reading("a"), reading("b"))
    assert station.wire.is_paused
    station.commit()
    await station.connection.settled()

    assert not station.wire.is_paused
    assert station.parts.budget.used == 0


@EACH
async def test_the_same_reading_again_while_it_is_stored(version: OcppVersion) -> None:
    """R06: one effect, and its answer twice."""
    station = Metering(version)

    station.feed(reading("a"), reading("a"))
    sent = station.commit()
    await station.connection.settled()

    assert sent + station.take() == [[3, "a", {}]] * 2
    assert station.noted == ["a"]
    assert station.desk.served == []
    assert await station.say(reading("a")) == [[3, "a", {}]]


@EACH
async def test_a_reply_passes_a_reading_that_is_stored(version: OcppVersion) -> None:
    """R19: the directions are independent."""
    station = Metering(version)
    command = asyncio.create_task(station.connection.command(RawCall("ClearCache", {}), 5))
    await until(lambda: len(station.wire.sent) == 1)
    message_id = station.take()[0][1]

    station.feed(reading("a"), json.dumps([3, message_id, {"status": "Accepted"}]))

    assert (await command).result is Result.ACCEPTED
    assert station.commit() == [[3, "a", {}]]


@EACH
@pytest.mark.parametrize(
    ("refusal", "code"),
    [(StoreUnavailable(), TRY_AGAIN_LATER), (StaleEpoch(7), TAKEN_OVER)],
    ids=["unavailable", "stale"],
)
async def test_a_reading_that_cannot_be_stored_is_not_answered(
    version: OcppVersion, refusal: StoreError, code: int
) -> None:
    """The connection ends, and what waits is left to the station."""
    station = Metering(version)
    station.feed(reading("a"), call("b", "Heartbeat"))

    assert station.commit(refusal) == []
    await station.connection.settled()

    assert station.wire.closed is not None
    assert station.wire.closed[0] == code
    assert (station.take(), station.noted, station.desk.served) == ([], [], [])
    assert station.parts.budget.used == 0
    assert not station.connection.is_busy


@EACH
async def test_a_reading_whose_row_is_refused_goes_the_other_way(version: OcppVersion) -> None:
    """Its handler finds out why; what waits goes on after it."""
    station = Metering(version)
    station.feed(reading("a"), call("b", "Heartbeat"))

    assert station.commit(RowRefused("odd")) == []
    await station.connection.settled()

    assert station.take() == [[3, "a", {"n": 1}], [3, "b", {"n": 2}]]
    assert station.noted == []
    assert station.wire.closed is None


@EACH
async def test_a_reading_is_stored_although_the_wire_is_gone(version: OcppVersion) -> None:
    """T29: it and what waits behind it; the desk notes it."""
    station = Metering(version)
    station.feed(reading("a"), call("b", "Heartbeat"))

    station.connection.lost()
    station.commit()
    await station.connection.idle()

    assert station.noted == ["a"]
    assert station.desk.actions == ["Heartbeat"]


@EACH
async def test_a_reading_is_not_answered_after_the_end(version: OcppVersion) -> None:
    """W15: stored and noted, but nothing more is sent or begun."""
    station = Metering(version)
    station.feed(reading("a"), call("b", "Heartbeat"))

    station.connection.end(1012, "service restart")
    assert station.commit() == []
    await station.connection.idle()

    assert station.noted == ["a"]
    assert station.desk.served == []
    assert station.parts.budget.used == 0


@EACH
async def test_a_reading_that_takes_too_long_to_store(version: OcppVersion) -> None:
    """After the handler's limit: 1013, nothing answered; its commit comes too late to matter."""
    station = Metering(version)
    station.feed(reading("a"), reading("b"))
    now = asyncio.get_running_loop().time()

    assert not station.connection.give_up_overdue(now + 19)
    assert station.connection.give_up_overdue(now + 21)
    assert not station.connection.give_up_overdue(now + 40)
    await station.connection.idle()

    assert station.wire.closed == (TRY_AGAIN_LATER, "cannot store now")
    assert station.commit() == []
    assert station.noted == []
    assert station.parts.budget.used == 0


@EACH
async def test_waiting_for_a_reading_that_is_stored(version: OcppVersion) -> None:
    """`idle` and `settled` see it through; cancelling frees them."""
    station = Metering(version)
    for end in (station.desk.commit, station.connection.cancel):
        station.feed(reading(end.__name__))
        waiting = [
            asyncio.create_task(wait()) for wait in (station.connection.idle, station.connection.settled)
        ]
        await asyncio.sleep(0.01)
        assert not any(task.done() for task in waiting)

        end()
        await asyncio.wait_for(asyncio.gather(*waiting), 1)
        assert not station.connection.is_busy

    assert [m[1] for m in station.take()] == ["commit"]


@EACH
async def test_a_flood_of_readings_is_read_slower(version: OcppVersion) -> None:
    """W13: they count like all messages."""
    station = Metering(version, messages_per_s=200, messages_burst=5)

    for n in range(10):
        station.feed(reading(str(n)))
        station.commit()

    assert station.wire.is_paused
    assert station.parts.stats.read_pauses == 1
    assert len(station.noted) == 10
    await until(lambda: not station.wire.is_paused)


@EACH
async def test_an_amendment_waits_for_its_turn(version: OcppVersion) -> None:
    """Between two messages, in the station's own order; nothing is sent to the station."""
    station = Station(version)
    gate = asyncio.Event()

    async def before(info: MessageInfo, _: Any) -> None:
        if info.action == "Heartbeat":
            await gate.wait()

    station.desk.before = before
    station.feed(call("a", "Heartbeat"))
    amending = asyncio.create_task(station.connection.command(CloseSession(7, "me", "why"), 5))
    await asyncio.sleep(0)
    assert station.desk.served == []

    gate.set()
    assert (await amending).result is Result.ACCEPTED
    await station.say(call("b", "Heartbeat"))

    assert station.desk.actions == ["Heartbeat", "amend", "Heartbeat"]


@V2
async def test_what_a_station_says_of_a_transaction_is_noted_in_its_turn(version: OcppVersion) -> None:
    """Whoever asked has the answer at once; it is noted behind the message that is being handled."""
    station = Station(version)
    gate = asyncio.Event()

    async def before(info: MessageInfo, _: Any) -> None:
        if info.action == "Heartbeat":
            await gate.wait()

    asking = asyncio.create_task(station.connection.command(AskTransaction("TX-1"), 5))
    await until(lambda: len(station.wire.sent) == 1)
    ((_, number, action, asked),) = station.take()
    station.desk.before = before
    station.feed(call("a", "Heartbeat"), json.dumps([3, number, {"messagesInQueue": True}]))
    outcome = await asking

    assert (action, asked) == ("GetTransactionStatus", {"transactionId": "TX-1"})
    assert outcome.transaction == TransactionSaid(None, is_queued=True)
    assert station.desk.served == []
    gate.set()
    await station.connection.settled()
    assert station.desk.actions == ["Heartbeat", "amend"]
    assert station.desk.served[-1][2] == NoteTransaction("TX-1", TransactionSaid(None, is_queued=True))


@V2
@pytest.mark.parametrize("reply", [[4, "NotSupported", "", {}], [3, {"messagesInQueue": "perhaps"}]])
async def test_a_station_that_does_not_say_is_noted_nowhere(version: OcppVersion, reply: list[Any]) -> None:
    """It refuses to tell, or what it tells cannot be read."""
    station = Station(version)
    asking = asyncio.create_task(station.connection.command(AskTransaction("TX-1"), 5))
    await until(lambda: len(station.wire.sent) == 1)
    ((_, number, *_),) = station.take()

    station.feed(json.dumps([reply[0], number, *reply[1:]]))

    assert (await asking).result in (Result.NOT_SUPPORTED, Result.FAILED)
    await station.connection.settled()
    assert station.desk.served == []


async def test_what_comes_during_an_amendment_is_dealt_with_after_it() -> None:
    """Its frames wait in the queue, and are answered in their order."""
    station = Station(OcppVersion.V16)
    gate = asyncio.Event()

    async def before(info: MessageInfo, _: Any) -> None:
        if info.action == "amend":
            await gate.wait()

    station.desk.before = before
    amending = asyncio.create_task(station.connection.command(CloseSession(7, "me", "why"), 5))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    station.feed(call("a", "Heartbeat"), call("b", "Heartbeat"))
    assert station.take() == []

    gate.set()
    await amending
    await station.connection.settled()

    assert [frame[1] for frame in station.take()] == ["a", "b"]
    assert station.desk.actions == ["amend", "Heartbeat", "Heartbeat"]
    assert station.parts.budget.used == 0


async def test_an_amendment_that_cannot_be_done() -> None:
    """The store's refusal is its outcome; a busy or parted station says so; the next message is served."""
    station = Station(OcppVersion.V16)

    async def refuse(info: MessageInfo, _: Any) -> None:
        if info.action == "amend":
            raise StoreUnavailable("away")

    station.desk.before = refuse
    order = CloseSession(7, "me", "why")
    assert (await station.connection.command(order, 5)).result is Result.FAILED
    assert await station.say(call("a", "Heartbeat")) == [[3, "a", {"n": 1}]]

    gate = asyncio.Event()

    async def wait(info: MessageInfo, _: Any) -> None:
        await gate.wait()

    station.desk.before = wait
    station.feed(call("b", "Heartbeat"))
    assert (await station.connection.command(order, 0.01)).result is Result.FAILED
    waiting = asyncio.create_task(station.connection.command(order, 5))
    await asyncio.sleep(0)
    station.connection.lost()
    gate.set()
    assert (await waiting).result is Result.NOT_CONNECTED


async def test_an_amendment_that_overruns_ends_with_its_connection() -> None:
    """As a message would: given up, and whoever asked hears so."""
    station = Station(OcppVersion.V16)

    async def hang(info: MessageInfo, _: Any) -> None:
        await asyncio.Event().wait()

    station.desk.before = hang
    waiting = asyncio.create_task(station.connection.command(CloseSession(7, "me", "why"), 5))
    await until(lambda: station.connection.is_busy)

    now = asyncio.get_running_loop().time()
    assert station.connection.give_up_overdue(now + station.parts.handler_limit_s + 1)

    assert await waiting == Outcome(Result.FAILED, reason="it took too long")
    assert not station.connection.is_busy
