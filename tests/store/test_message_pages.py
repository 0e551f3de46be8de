"""The message log of a station out of two tables: in order, whole, nothing twice, in pages of any size."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

import pytest

from csms.config import MessageSettings
from csms.domain.assets import ChargingStation
from csms.domain.charging_session import Change
from csms.errors import InvalidInput
from csms.store.database import Database
from csms.store.devices import DeviceStore
from csms.store.message_codec import NOT_SENT, Sent
from csms.store.message_log import MessageLog
from csms.store.message_pages import MOST_SESSIONS
from csms.store.paging import cursor_of
from csms.store.session_codec import records_of
from csms.store.writer import Writer
from tests.store.given import MINUTE, T0, a_message, a_session, stations, write_of

SECOND = timedelta(seconds=1)


@dataclass(frozen=True)
class Exchange:
    """What the gateway hands over."""

    station_id: int
    at: datetime
    message_id: str
    direction: str = "in"
    action: str = "Heartbeat"
    request: bytes = b"{}"
    answer: bytes | None = b"{}"
    outcome: str = "answered"
    latency_us: int | None = 1500


async def logged(database: Database, *exchanges: Exchange) -> None:
    """Put them into the log's own table."""
    log = MessageLog(database, MessageSettings(), lambda: T0)
    for exchange in exchanges:
        log.add(exchange)
    await log.flush()
    await log.close()


async def begun(writer: Writer, station: ChargingStation, number: int, at: datetime) -> None:
    """A session of this number, whose start is kept with it."""
    session = a_session(station, number, started_at=at, received_at=at)
    change = Change(
        session, is_new=True, message=a_message("start", at)._replace(message_id=f"start-{number}")
    )
    sent = Sent("StartTransaction", b'{"n":%d}' % number, f'{{"transactionId":{number}}}')
    await writer.write(write_of(station, *records_of(change, station, sent=sent)))


async def said(
    writer: Writer, station: ChargingStation, number: int, name: str, at: datetime, sent: Sent | None = None
) -> None:
    """A message of a session that has begun."""
    session = a_session(station, number, started_at=T0, received_at=T0)
    message = a_message(name, at)._replace(message_id=name)
    change = Change(session, message=message)
    records = records_of(change, station, before=session, sent=sent or Sent("MeterValues", b'{"x":1}'))
    await writer.write(write_of(station, *records))


async def pages(database: Database, station: ChargingStation, most: int) -> list[list[str]]:
    """Message ids of every page."""
    store, found, after = DeviceStore(database), [], None
    while True:
        page = await store.messages(station.station_id, after, most)
        found.append([item["message_id"] for item in page.items])
        after = page.next
        if after is None:
            return found


async def test_a_message_that_its_session_keeps_looks_like_a_logged_one(database: Database) -> None:
    """With what it was answered: what is stored, else an empty payload."""
    (station,) = await stations(database)
    async with Writer(database) as writer:
        await begun(writer, station, 1, T0)
        await said(writer, station, 1, "m1", T0 + MINUTE)
    await logged(database, Exchange(station.station_id, T0 + 2 * MINUTE, "h1"))

    page = await DeviceStore(database).messages(station.station_id)

    assert [list(item) for item in page.items] == [list(page.items[0])] * 3
    assert page.next is None
    assert page.items[1:] == [
        {
            "at": "2026-01-05T10:01:00.000Z",
            "direction": "in",
            "message_id": "m1",
            "action": "MeterValues",
            "request": '{"x":1}',
            "answer": "{}",
            "outcome": "answered",
            "latency_ms": None,
        },
        {
            "at": "2026-01-05T10:00:00.000Z",
            "direction": "in",
            "message_id": "start-1",
            "action": "StartTransaction",
            "request": '{"n":1}',
            "answer": '{"transactionId":1}',
            "outcome": "answered",
            "latency_ms": None,
        },
    ]


async def test_what_was_no_message_is_not_shown(database: Database) -> None:
    """What a message meant for another session is no second message."""
    (station,) = await stations(database)
    async with Writer(database) as writer:
        await begun(writer, station, 1, T0)
        await said(writer, station, 1, "effect", T0 + MINUTE, NOT_SENT)

    assert await pages(database, station, 10) == [["start-1"]]


async def test_only_the_stations_own(database: Database) -> None:
    """From neither table anything of another."""
    one, other = await stations(database, 2)
    async with Writer(database) as writer:
        await begun(writer, one, 1, T0)
        await begun(writer, other, 2, T0)
    await logged(database, Exchange(one.station_id, T0, "h1"), Exchange(other.station_id, T0, "h2"))

    assert sorted((await pages(database, one, 10))[0]) == ["h1", "start-1"]
    assert sorted((await pages(database, other, 10))[0]) == ["h2", "start-2"]


@pytest.mark.parametrize("most", [1, 2, 3, 7, 100])
async def test_two_tables_are_one_log(database: Database, most: int) -> None:
    """In order of arrival, latest first; every page full but the last."""
    (station,) = await stations(database)
    exchanges, expected, chance = [], [], Random(5)
    async with Writer(database) as writer:
        await begun(writer, station, 1, T0)
        expected.append("start-1")
        for n in range(1, 40):
            at = T0 + n * SECOND
            expected.append(f"m{n}")
            if chance.random() < 0.5:
                await said(writer, station, 1, f"m{n}", at)
            else:
                exchanges.append(Exchange(station.station_id, at, f"m{n}"))
    await logged(database, *exchanges)

    found = await pages(database, station, most)

    assert [name for page in found for name in page] == expected[::-1]
    assert {len(page) for page in found[:-1]} <= {most}


@pytest.mark.parametrize("most", [1, 3])
async def test_many_messages_of_one_instant(database: Database, most: int) -> None:
    """None is lost or doubled at the edge of a page."""
    (station,) = await stations(database)
    async with Writer(database) as writer:
        await begun(writer, station, 1, T0)
        for n in range(10):
            await said(writer, station, 1, f"m{n}", T0)
    await logged(database, *(Exchange(station.station_id, T0, f"h{n}") for n in range(10)))

    found = [name for page in await pages(database, station, most) for name in page]

    assert sorted(found) == sorted(["start-1", *(f"{kind}{n}" for kind in "mh" for n in range(10))])


async def test_what_comes_meanwhile_does_not_disturb_the_pages(database: Database) -> None:
    """A cursor means the same whatever was said since."""
    (station,) = await stations(database)
    store = DeviceStore(database)
    async with Writer(database) as writer:
        await begun(writer, station, 1, T0)
        for n in range(1, 5):
            await said(writer, station, 1, f"m{n}", T0 + n * MINUTE)
        first = await store.messages(station.station_id, None, 2)
        await said(writer, station, 1, "m5", T0 + 5 * MINUTE)
        await begun(writer, station, 2, T0 + 6 * MINUTE)
        second = await store.messages(station.station_id, first.next, 9)

    assert [one["message_id"] for one in first.items + second.items] == ["m4", "m3", "m2", "m1", "start-1"]


async def test_pages_go_back_further_than_one_looks(database: Database) -> None:
    """More sessions than a page looks into, hours apart: page after page finds them all."""
    (station,) = await stations(database)
    many = MOST_SESSIONS + 60
    async with Writer(database) as writer:
        for n in range(many):
            await begun(writer, station, n + 1, T0 + n * timedelta(hours=3))

    found = [name for page in await pages(database, station, 50) for name in page]

    assert found == [f"start-{n}" for n in range(many, 0, -1)]


async def test_a_session_that_was_replayed_is_shown_when_it_came(database: Database) -> None:
    """T13: it began long before; its messages arrived today."""
    (station,) = await stations(database)
    async with Writer(database) as writer:
        await begun(writer, station, 1, T0)
        old = a_session(station, 2, started_at=T0 - timedelta(days=30), received_at=T0 + MINUTE)
        message = a_message("start", T0 + MINUTE)._replace(message_id="late")
        change = Change(old, is_new=True, message=message)
        sent = Sent("StartTransaction", b"{}", '{"transactionId":2}')
        await writer.write(write_of(station, *records_of(change, station, sent=sent)))
        await begun(writer, station, 3, T0 + 2 * MINUTE)

    for most in (1, 2, 10):
        found = [name for page in await pages(database, station, most) for name in page]
        assert found == ["start-3", "late", "start-1"]


@pytest.mark.parametrize(
    "cursor", ["", "x", cursor_of(1), cursor_of(1, 2), cursor_of(1, 2, "3"), cursor_of(2**63, 1, 1)]
)
async def test_a_cursor_that_is_none(inline_database: Database, cursor: str) -> None:
    """Said, not guessed at."""
    with pytest.raises(InvalidInput):
        await DeviceStore(inline_database).messages(1, cursor, 10)
