"""Schedules on each database: once per period, folders, webhooks over real sockets, patience."""

import asyncio
import csv
import hashlib
import hmac
import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from csms.books.desk import Desk
from csms.config import Settings
from csms.config_documents import DocumentSettings
from csms.domain.local_time import zone
from csms.reporting.deliveries import Deliveries, pause
from csms.reporting.parcels import Webhooks
from csms.store.command_queries import AUDIT
from csms.store.database import Database
from csms.store.deliveries import LEASE, DeliveryStore
from csms.store.records import AuditRow
from csms.store.schedule_tables import deliveries
from csms.store.schedules import ScheduleForm, ScheduleStore
from csms.store.tables import audit_log
from csms.store.times import micros
from tests.store.given import OPERATOR, stations

START = datetime(2026, 1, 30, 12, tzinfo=UTC)
FORM = ScheduleForm(
    name="Audit", operator=None, report="audit", options={}, form="csv", language="en",
    time_zone="Asia/Shanghai", every="day", at_minute=360, target="folder", address="city/daily",
    enabled=True,
)  # fmt: skip
SECRET = "0123456789abcdef"


class House:
    """Schedules, a clock, and workers of one test."""

    def __init__(self, database: Database, folder: Path, **settings: Any) -> None:
        self.database, self.folder, self.now = database, folder, START
        documents = DocumentSettings(folder=str(folder), **settings)
        self.desk = Desk(database, Settings(documents=documents))
        self.schedules, self.store = ScheduleStore(database), DeliveryStore(database)
        self.documents = documents

    def worker(self) -> Deliveries:
        """One node's."""
        return Deliveries(self.store, self.desk, lambda: self.now)

    async def work(self, worker: Deliveries | None = None) -> None:
        """Look until there is nothing to do."""
        webhooks = Webhooks(self.documents)
        try:
            while await (worker or self.worker()).look(webhooks):
                pass
        finally:
            await webhooks.close()

    async def history(self, number: str) -> list[dict[str, Any]]:
        """Deliveries, latest first."""
        return (await self.schedules.history(int(number), None, None, 1000)).items

    def files(self) -> list[str]:
        """What is in the folder, and below it."""
        return sorted(str(one.relative_to(self.folder)) for one in self.folder.rglob("*") if one.is_file())


@pytest.fixture
def house(database: Database, tmp_path: Path) -> House:
    return House(database, tmp_path / "out")


async def test_each_period_once_on_two_nodes(house: House) -> None:
    """Three days away: three files, in order, each once, whoever made them."""
    number = await house.schedules.add(FORM, None, house.now)
    await house.work()
    assert house.files() == []

    house.now += timedelta(days=3)
    await asyncio.gather(*(house.work(house.worker()) for _ in range(3)))
    await asyncio.gather(*(house.work(house.worker()) for _ in range(3)))

    history = await house.history(number)
    assert [(one["period"], one["state"], one["attempts"]) for one in reversed(history)] == [
        ("2026-01-30", "delivered", 1),
        ("2026-01-31", "delivered", 1),
        ("2026-02-01", "delivered", 1),
    ]
    names = [f"city/daily/audit-network-{one['period']}-{number}-{one['id']}.csv" for one in history]
    assert house.files() == sorted(names)
    made = (house.folder / names[0]).read_bytes()
    assert (len(made), hashlib.sha256(made).hexdigest()) == (history[0]["bytes"], history[0]["sha256"])
    assert (await house.schedules.one(int(number), None))["next_at"] == "2026-02-02T22:00:00.000Z"
    noted = [row for row in await house.database.read(audit_log.select()) if row.action == "export"]
    assert [row.actor for row in noted] == [f"schedule:{number}"] * 3


async def test_a_file_holds_its_period(house: House) -> None:
    """Entries of the local day, and no others."""
    await house.schedules.add(FORM, None, house.now)
    local = zone("Asia/Shanghai")
    for text in ("2026-01-29T23:59:59", "2026-01-30T00:00:00", "2026-01-30T23:59:59", "2026-01-31T00:00:00"):
        at = datetime.fromisoformat(text).replace(tzinfo=local)
        row = AuditRow(micros(at), "a", text, "", "{}")._asdict()
        await house.database.execute(AUDIT, row)
    house.now = datetime(2026, 1, 30, 23, tzinfo=UTC)

    await house.work()

    (file,) = house.files()
    rows = list(csv.DictReader(io.StringIO((house.folder / file).read_text("utf-8-sig"))))
    assert [row["Action"] for row in rows] == ["2026-01-30T23:59:59", "2026-01-30T00:00:00"]


async def test_a_retry_makes_no_second_file(house: House) -> None:
    """A worker that died after its file was there: the next one puts it in its place."""
    number = await house.schedules.add(FORM, None, house.now)
    house.now += timedelta(days=1)
    worker = house.worker()
    kept = house.store.delivered

    async def dies(*_: Any) -> None:
        raise asyncio.CancelledError

    house.store.delivered = dies  # type: ignore[method-assign]
    with pytest.raises(asyncio.CancelledError):
        await house.work(worker)
    house.store.delivered = kept  # type: ignore[method-assign]
    assert len(house.files()) == 1
    await house.work()
    assert (await house.history(number))[0]["state"] == "waiting"

    house.now += LEASE
    await house.work()

    assert len(house.files()) == 1
    assert [(one["state"], one["attempts"]) for one in await house.history(number)] == [("delivered", 2)]


async def test_a_schedule_that_is_asked(house: House) -> None:
    """The latest period at once, under a name of its own; a removed one owes nothing."""
    await stations(house.database)
    form = replace(FORM, report="statement", form="html", operator=OPERATOR, every="month", address="s")
    number = await house.schedules.add(form, None, house.now)

    await house.schedules.ask(int(number), None, house.now)
    await house.work()
    asked = await house.history(number)
    await house.schedules.remove(int(number), None, house.now)
    house.now += timedelta(days=60)
    await house.work()

    assert [(one["period"], one["asked_for"], one["state"]) for one in asked] == [
        ("2025-12", True, "delivered")
    ]
    assert house.files() == [f"s/statement-{OPERATOR}-2025-12-{number}-{asked[0]['id']}.html"]
    assert len(await house.history(number)) == 1


@pytest.mark.parametrize("report", ["sessions", "orders", "totals"])
async def test_every_export_can_be_scheduled(house: House, report: str) -> None:
    """In every format."""
    for form in ("csv", "xlsx", "parquet"):
        await house.schedules.add(replace(FORM, report=report, form=form, address=form), None, house.now)
    house.now += timedelta(days=1)

    await house.work()

    assert [name.partition("/")[0] for name in house.files()] == ["csv", "parquet", "xlsx"]


class Receiver:
    """An HTTP server that keeps what it gets and answers what it is told to."""

    def __init__(self) -> None:
        self.answers: list[bytes] = []
        self.got: list[tuple[dict[str, str], bytes]] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:])}
        body = await reader.readexactly(int(headers["content-length"]))
        self.got.append((headers | {"line": head[0]}, body))
        writer.write(self.answers.pop(0) if self.answers else b"HTTP/1.1 204 No Content\r\n\r\n")
        await writer.drain()
        writer.close()
        await writer.wait_closed()


@asynccontextmanager
async def receiving() -> AsyncIterator[tuple[Receiver, str]]:
    receiver = Receiver()
    server = await asyncio.start_server(receiver.serve, "127.0.0.1", 0)
    try:
        yield receiver, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook?x=1"
    finally:
        server.close()
        await server.wait_closed()


async def test_a_webhook_is_signed_and_tried_again(database: Database, tmp_path: Path) -> None:
    """500, a redirect, then taken; the signature is over time and body; attempts are on record."""
    house = House(database, tmp_path, webhook_private=True)
    async with receiving() as (receiver, url):
        receiver.answers = [
            b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n",
            b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
        ]
        form = replace(FORM, target="webhook", address=url)
        number = await house.schedules.add(form, SECRET, house.now)
        house.now += timedelta(days=1)
        errors = []
        for _ in range(3):
            await house.work()
            errors.append((await house.history(number))[0]["last_error"])
            house.now += timedelta(hours=1)

    (delivery,) = await house.history(number)
    assert errors == [
        "The file was not taken: HTTP status 500",
        "The file was not taken: HTTP status 302",
        None,
    ]
    assert (delivery["state"], delivery["attempts"]) == ("delivered", 3)
    assert len(receiver.got) == 3
    for headers, body in receiver.got:
        signed = f"{headers['x-csms-timestamp']}.".encode() + body
        expected = hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest()
        assert headers["x-csms-signature"] == f"sha256={expected}"
        assert headers["line"] == "POST /hook?x=1 HTTP/1.1"
        assert headers["x-csms-delivery"] == delivery["id"]
        assert delivery["file_name"] in headers["content-disposition"]
        assert body.startswith("\ufeffEntry".encode())


async def test_it_is_given_up_at_last(database: Database, tmp_path: Path) -> None:
    """After so many tries a person must look; pauses grow to hours."""
    house = House(database, tmp_path, webhook_private=True, delivery_attempts=3, webhook_timeout_s=5)
    form = replace(FORM, target="webhook", address="http://127.0.0.1:1/closed")
    number = await house.schedules.add(form, SECRET, house.now)
    house.now += timedelta(hours=12)
    for _ in range(5):
        await house.work()
        house.now += timedelta(hours=1)

    (delivery,) = await house.history(number)
    assert (delivery["state"], delivery["attempts"]) == ("failed", 3)
    assert "ConnectError" in delivery["last_error"]
    assert (await house.store.tallies()).states == {"failed": 1}
    assert timedelta(seconds=45) <= pause(1) <= timedelta(minutes=1)
    assert timedelta(hours=4) <= pause(50) <= timedelta(hours=6)


async def test_names_of_private_places_are_not_called(database: Database, tmp_path: Path) -> None:
    """Row A07: a name is judged by what it resolves to; nothing reaches the receiver."""
    house = House(database, tmp_path, webhook_timeout_s=5)
    async with receiving() as (receiver, url):
        port = url.split(":")[2].split("/")[0]
        form = replace(FORM, target="webhook", address=f"https://localhost:{port}/x")
        number = await house.schedules.add(form, SECRET, house.now)
        house.now += timedelta(hours=12)
        await house.work()

        assert receiver.got == []
    error = (await house.history(number))[0]["last_error"]
    assert error == "The file was not taken: address: its host is not on the public Internet"


async def test_a_folder_that_cannot_be_written(house: House) -> None:
    """The reason is on record, and no part of a file stays."""
    house.folder.mkdir()
    (house.folder / "city").write_text("a file is in the way")
    number = await house.schedules.add(FORM, None, house.now)
    house.now += timedelta(hours=12)

    await house.work()

    (delivery,) = await house.history(number)
    assert delivery["state"] == "waiting"
    assert delivery["last_error"].startswith("The file was not taken:")
    assert house.files() == ["city"]


async def test_old_history_is_forgotten(house: House) -> None:
    """What ended long ago; what waits stays."""
    await house.schedules.add(FORM, None, house.now)
    house.now += timedelta(hours=12)
    await house.work()
    house.now += timedelta(days=500)

    assert await house.store.forget(house.now - timedelta(days=400)) == 1
    assert await house.database.read(deliveries.select()) == []


async def test_a_changed_schedule(house: House) -> None:
    """Another rhythm begins anew, another name does not; switched off owes nothing."""
    number = int(await house.schedules.add(FORM, None, house.now))
    before = (await house.schedules.one(number, None))["next_at"]
    await house.schedules.put(number, None, replace(FORM, name="Other"), house.now + timedelta(days=2))
    same = (await house.schedules.one(number, None))["next_at"]
    await house.schedules.put(number, None, replace(FORM, enabled=False), house.now)
    house.now += timedelta(days=5)
    await house.work()
    off = await house.history(str(number))
    await house.schedules.put(number, None, replace(FORM, at_minute=0), house.now)
    anew = (await house.schedules.one(number, None))["next_at"]

    assert before == same == "2026-01-30T22:00:00.000Z"
    assert off == []
    assert anew == "2026-02-04T16:00:00.000Z"
