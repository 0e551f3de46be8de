"""Deliveries to a real receiver: in order, signed, again until they arrive, and never in each other's way."""

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs

from csms.config import LiveSettings
from csms.config_live import WebhookSettings
from csms.live import messenger
from csms.live.messenger import Messenger
from csms.live.webhooks import Webhooks
from csms.store import changes as changes_module
from csms.store.change_rows import Kind, announce
from csms.store.database import Database
from csms.store.webhooks import WebhookForm, WebhookStore
from csms.store.writer import Writer
from tests.live.kit import Receiver, followed, news, receiving, until, write_of
from tests.store.given import T0, stations

SETTINGS = WebhookSettings(
    private_addresses=True, plain_http=True, timeout_s=1, first_delay_s=0.05, longest_delay_s=0.2, batch=10,
    attempts=4,
)  # fmt: skip
SECRET = "of-this-webhook"
_NEWEST = changes_module.NEWEST


def now() -> datetime:
    return datetime.now(UTC)


@asynccontextmanager
async def delivering(
    database: Database, source: Any, holder: str = "a", settings: WebhookSettings = SETTINGS
) -> AsyncIterator[Webhooks]:
    """A node's deliverer that runs."""
    sender = Messenger(settings, now)
    async with followed(database, source, LiveSettings()) as tail:
        made = Webhooks(WebhookStore(database), tail, sender, settings, now, holder)
        task = asyncio.create_task(made.run())
        try:
            yield made
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await sender.close()


async def hook(database: Database, receiver: Receiver, position: int = 1_000_000, **form: Any) -> int:
    """A webhook told of what comes from now on; its number."""
    asked = {"url": receiver.url, "kinds": None, "operator": None, "enabled": True, **form}
    (newest,) = (await database.read(_NEWEST))[0]
    return await WebhookStore(database).add(WebhookForm(**asked), SECRET, min(position, newest), now())


async def state(database: Database, number: int) -> dict[str, Any]:
    """The webhook as the API shows it."""
    return (await WebhookStore(database).one(number, None))[1]


def told(receiver: Receiver) -> list[int]:
    """`n` of the events that came."""
    return [event["data"]["n"] for event in receiver.events if "n" in event["data"]]


async def test_events_arrive_in_order_and_signed(database: Database) -> None:
    """As many to a letter as it may have; each letter signed with the webhook's secret."""
    (station,) = await stations(database)
    async with Writer(database) as writer, receiving() as receiver:
        number = await hook(database, receiver)
        async with delivering(database, writer):
            for n in range(25):
                await writer.write(write_of(station, news(station, n, T0)))
            await until(lambda: len(told(receiver)) == 25)

    assert told(receiver) == list(range(25))
    assert all(len(json.loads(body)["events"]) <= 10 for _, body in receiver.got)
    headers, body = receiver.got[0]
    fields = dict(part.split("=") for part in headers["csms-signature"].split(","))
    right = hmac.new(SECRET.encode(), fields["t"].encode() + b"." + body, hashlib.sha256).hexdigest()
    assert fields["v1"] == right
    assert abs(int(fields["t"]) - now().timestamp()) < 60
    assert (headers["csms-webhook"], headers["csms-attempt"]) == (str(number), "1")
    assert headers["host"] == receiver.url.split("/")[2]


async def test_only_what_is_wanted(database: Database) -> None:
    """By kind and operator; what is not wanted does not stop it either."""
    (station,) = await stations(database)
    async with Writer(database) as writer, receiving() as receiver, receiving() as other:
        await hook(database, receiver, kinds=frozenset({"session_ended"}), operator="123456789")
        await hook(database, other, kinds=frozenset({"quarantine_arrived"}), operator="123456789")
        async with delivering(database, writer):
            await writer.write(write_of(station, *(news(station, n, T0) for n in range(1_500))))
            await writer.write(write_of(station, news(station, 1, T0, Kind.SESSION_ENDED)))
            await until(lambda: told(receiver) == [1])
        assert other.got == []


async def test_what_fails_comes_again_and_first(database: Database) -> None:
    """Counted, and what comes later waits for it. Nothing is logged of a secret."""
    (station,) = await stations(database)
    with capture_logs() as logs:
        async with Writer(database) as writer, receiving(answers=[500, 302]) as receiver:
            number = await hook(database, receiver)
            async with delivering(database, writer):
                await writer.write(write_of(station, news(station, 1, T0)))
                await until(lambda: len(receiver.got) == 1)
                await writer.write(write_of(station, news(station, 2, T0)))
                await until(lambda: len(receiver.got) == 3)
                await asyncio.sleep(0.2)
        page = await WebhookStore(database).deliveries(number)

    tries = [(head["csms-attempt"], told(Receiver(got=[(head, body)]))) for head, body in receiver.got]
    assert tries[0] == ("1", [1])
    assert [attempt for attempt, _ in tries[:3]] == ["1", "2", "3"]
    assert [numbers[0] for _, numbers in tries[:3]] == [1, 1, 1]
    assert told(receiver)[-1] == 2
    errors = [one["error"] for one in reversed(page.items)][:3]
    assert errors == ["HTTP 500", "HTTP 302 (redirects are not followed)", ""]
    assert (await state(database, number))["attempts"] == 0
    assert SECRET not in str(logs)
    assert "of-the-receiver" not in str(logs)


async def test_who_fails_too_often_is_paused_until_resumed(database: Database) -> None:
    """And nothing is lost meanwhile."""
    (station,) = await stations(database)
    store = WebhookStore(database)
    async with Writer(database) as writer, receiving(answers=[503] * 4) as receiver:
        number = await hook(database, receiver)
        async with delivering(database, writer):
            await writer.write(write_of(station, news(station, 1, T0)))
            await until(lambda: len(receiver.got) == 4)
            await asyncio.sleep(0.5)
            assert len(receiver.got) == 4
            assert (await state(database, number))["paused_because"] == "4 failures in a row: HTTP 503"
            assert [one["id"] for one in await store.paused()] == [str(number)]
            await writer.write(write_of(station, news(station, 2, T0)))
            await store.resume(number)
            await until(lambda: told(receiver)[-1] == 2)


async def test_who_says_it_is_gone_is_paused_at_once(database: Database) -> None:
    """HTTP 410."""
    (station,) = await stations(database)
    async with Writer(database) as writer, receiving(answers=[410]) as receiver:
        number = await hook(database, receiver)
        async with delivering(database, writer):
            await writer.write(write_of(station, news(station, 1, T0)))
            await until(lambda: receiver.got)
            await asyncio.sleep(0.3)
    assert "410" in (await state(database, number))["paused_because"]
    assert len(receiver.got) == 1


async def test_a_slow_endpoint_delays_nobody_else(database: Database) -> None:
    """It hangs until its time is up; the other one has everything by then."""
    (station,) = await stations(database)
    async with Writer(database) as writer, receiving(delay_s=5) as slow, receiving() as quick:
        stuck = await hook(database, slow)
        await hook(database, quick)
        async with delivering(database, writer):
            await writer.write(write_of(station, news(station, 1, T0)))
            await until(lambda: slow.got)
            for n in (2, 3):
                await writer.write(write_of(station, news(station, n, T0)))
            await until(lambda: told(quick) == [1, 2, 3], 0.9)
            await asyncio.sleep(1.0)
            assert (await state(database, stuck))["last_error"] == "no answer within 1 s"


async def test_a_replay_tells_everything_again(database: Database) -> None:
    """From a number on, in order; also while it is being served."""
    (station,) = await stations(database)
    store = WebhookStore(database)
    async with Writer(database) as writer, receiving() as receiver:
        number = await hook(database, receiver)
        begin = int((await state(database, number))["position"])
        async with delivering(database, writer):
            for n in range(5):
                await writer.write(write_of(station, news(station, n, T0)))
            await until(lambda: len(told(receiver)) == 5)
            await store.replay(number, begin + 2)
            await until(lambda: len(told(receiver)) == 8)
    assert told(receiver) == [0, 1, 2, 3, 4, 2, 3, 4]
    ids = [event["id"] for event in receiver.events]
    assert ids[5:] == ids[2:5]


async def test_two_nodes_deliver_once(database: Database) -> None:
    """Each wakes at the same time; the lease lets one send."""
    (station,) = await stations(database)
    async with Writer(database) as writer, receiving(delay_s=0.02) as receiver:
        await hook(database, receiver)
        async with delivering(database, writer, "a"), delivering(database, writer, "b"):
            for n in range(40):
                await database.run(lambda connection, n=n: announce([news(station, n, T0)], connection))
            await until(lambda: len(set(told(receiver))) == 40)
            await asyncio.sleep(0.3)
    assert told(receiver) == list(range(40))


async def test_a_node_that_dies_with_a_lease_gives_it_back_by_the_clock(database: Database) -> None:
    """Until then nobody else sends; afterwards another does."""
    await stations(database)
    store = WebhookStore(database)
    async with receiving() as receiver:
        number = await hook(database, receiver)
        known, _ = await store.one(number, None)
        assert await store.lease(known, "dead", T0, 30)
        assert not await store.lease(known, "b", T0 + timedelta(seconds=29), 30)
        assert await store.lease(known, "b", T0 + timedelta(seconds=31), 30)
        assert not await store.lease(known._replace(position=5), "b", T0 + timedelta(seconds=32), 30)


async def test_a_disabled_webhook_loses_nothing(database: Database) -> None:
    """It is told when it is enabled again."""
    (station,) = await stations(database)
    store = WebhookStore(database)
    async with Writer(database) as writer, receiving() as receiver:
        number = await hook(database, receiver, enabled=False)
        async with delivering(database, writer):
            await writer.write(write_of(station, news(station, 1, T0)))
            await asyncio.sleep(0.3)
            assert receiver.got == []
            await store.change(number, WebhookForm(receiver.url, None, None, True))
            await until(lambda: told(receiver) == [1])


async def test_another_address_counts_at_once(database: Database) -> None:
    """Also for what was waiting already."""
    (station,) = await stations(database)
    store = WebhookStore(database)
    async with Writer(database) as writer, receiving(delay_s=0.2) as first, receiving() as second:
        number = await hook(database, first)
        await writer.write(write_of(station, *(news(station, n, T0) for n in range(25))))
        async with delivering(database, writer):
            await until(lambda: first.got)
            await store.change(number, WebhookForm(second.url, None, None, True))
            await until(lambda: 24 in told(second))
    assert told(first) == list(range(10))
    assert told(second) == list(range(10, 25))


async def test_other_kinds_begin_where_it_had_got(database: Database) -> None:
    """What was looked through for the kinds before is looked through once more."""
    (station,) = await stations(database)
    store = WebhookStore(database)
    async with Writer(database) as writer, receiving() as receiver:
        number = await hook(database, receiver, kinds=frozenset({"session_ended"}))
        async with delivering(database, writer) as made:
            await writer.write(write_of(station, news(station, 1, T0)))
            await until(lambda: made._seen and next(iter(made._seen.values())).until > 0)
            await store.change(number, WebhookForm(receiver.url, None, None, True))
            await until(lambda: told(receiver) == [1])


async def test_many_slow_receivers_wait_for_each_other(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody is to blame for a connection that we have not free."""
    monkeypatch.setattr(messenger, "AT_A_TIME", 1)
    monkeypatch.setattr(messenger, "TRIALS", 0)
    (station,) = await stations(database)
    async with Writer(database) as writer, receiving(delay_s=0.7) as receiver:
        numbers = [await hook(database, receiver) for _ in range(3)]
        async with delivering(database, writer):
            await writer.write(write_of(station, news(station, 1, T0)))
            await until(lambda: len(receiver.got) == 3)
            await asyncio.sleep(0.8)
    for number in numbers:
        (only,) = (await WebhookStore(database).deliveries(number)).items
        assert only["error"] == ""
