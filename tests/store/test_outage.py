"""A database that is locked, full, killed or gone: what is acknowledged is there, and nobody restarts us."""

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sqlalchemy import Connection, text
from sqlalchemy import exc as sa

from csms.domain.assets import ChargingStation
from csms.errors import StoreUnavailable
from csms.store import writer as writer_module
from csms.store.database import Database
from csms.store.engines import SQLITE_PRAGMAS
from csms.store.outage import is_duplicate, is_outage, said
from csms.store.reading_rows import samples_of
from csms.store.writer import Writer
from tests.store.given import count, reading_write, stations


class Lock:
    """Another process's exclusive lock on a SQLite file, held by a connection of its own."""

    def __init__(self, url: str) -> None:
        self._connection = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
        self._connection.execute("BEGIN EXCLUSIVE")

    def release(self) -> None:
        self._connection.execute("ROLLBACK")
        self._connection.close()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Milliseconds where production waits seconds."""
    monkeypatch.setattr(writer_module, "LONGEST_PAUSE_S", 0.05)
    monkeypatch.setattr(writer_module, "FIRST_PAUSE_S", 0.02)
    monkeypatch.setitem(SQLITE_PRAGMAS, "busy_timeout", 20)


async def until_healthy(writer: Writer) -> None:
    """Wait until the writer has recovered by itself."""
    async with asyncio.timeout(10):
        while not writer.healthy:  # noqa: ASYNC110 - the writer tells nobody; the gateway asks too
            await asyncio.sleep(0.01)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (OSError("no route"), True),
        (TimeoutError(), True),
        (sa.TimeoutError("pool"), True),
        (ValueError(), False),
        (sa.OperationalError("", {}, sqlite3.OperationalError("x"), connection_invalidated=True), True),
        (sa.ProgrammingError("", {}, sqlite3.ProgrammingError("x")), False),
    ],
)
def test_outages_are_told_from_mistakes(error: Exception, expected: bool) -> None:
    """What another try may mend is an outage."""
    assert is_outage(error) is expected


def test_a_duplicate_is_no_other_constraint(tmp_path: Path) -> None:
    """NOT NULL and CHECK refuse rows too, and mean something else."""
    connection = sqlite3.connect(tmp_path / "x.db")
    connection.execute("CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT NOT NULL UNIQUE)")
    connection.execute("INSERT INTO t VALUES (1, 'x')")
    found = []

    for row in ((1, "y"), (2, "x"), (3, None)):
        with pytest.raises(sqlite3.IntegrityError) as caught:
            connection.execute("INSERT INTO t VALUES (?, ?)", row)
        found.append(is_duplicate(sa.IntegrityError("", {}, caught.value)))

    connection.close()
    assert found == [True, True, False]


async def test_a_short_lock_only_delays(sqlite_url: str) -> None:
    """F04: held for a second, the answer is held, and then stored."""
    database = await Database.open(sqlite_url)
    (station,) = await stations(database)

    async with Writer(database) as writer:
        lock = Lock(sqlite_url)
        started = time.monotonic()
        writing = asyncio.create_task(writer.write(reading_write(station, 1)))
        await asyncio.sleep(1.0)
        assert not writing.done()
        lock.release()
        await writing

    assert time.monotonic() - started < 5
    assert await count(database, "readings") == 1
    await database.close()


@pytest.mark.usefixtures("impatient")
async def test_a_lock_that_outlasts_one_commit_is_waited_out(sqlite_url: str) -> None:
    """F04: commits fail, are repeated, and nobody has to know."""
    database = await Database.open(sqlite_url)
    (station,) = await stations(database)

    async with Writer(database, hold_s=10) as writer:
        lock = Lock(sqlite_url)
        writing = asyncio.create_task(writer.write(reading_write(station, 1)))
        await asyncio.sleep(0.3)
        lock.release()
        await writing
        assert writer.healthy

    assert await count(database, "readings") == 1
    await database.close()


@pytest.mark.usefixtures("impatient")
async def test_a_lock_beyond_the_hold_is_told_and_recovered_from(sqlite_url: str) -> None:
    """F04: everyone who waits hears StoreUnavailable; later writes are refused at once, then taken again."""
    database = await Database.open(sqlite_url)
    (station,) = await stations(database)

    async with Writer(database, hold_s=0.2) as writer:
        lock = Lock(sqlite_url)
        waiting = [writer.write(reading_write(station, n)) for n in range(5)]
        outcomes = await asyncio.gather(*waiting, return_exceptions=True)
        assert [type(outcome) for outcome in outcomes] == [StoreUnavailable] * 5
        assert not writer.healthy
        with pytest.raises(StoreUnavailable):
            await asyncio.wait_for(writer.write(reading_write(station, 6)), 0.05)
        lock.release()
        await until_healthy(writer)
        await writer.write(reading_write(station, 7))

    assert await count(database, "readings") == 1
    await database.close()


@pytest.mark.usefixtures("impatient")
async def test_a_full_disk_is_recovered_from_when_there_is_room(sqlite_url: str) -> None:
    """F05: SQLITE_FULL is an outage; freeing space needs no restart."""
    database = await Database.open(sqlite_url)
    (station,) = await stations(database)

    async with Writer(database, hold_s=0.2) as writer:
        # A limit is of a connection, not of the file.
        pages = await database.run(_limit_pages)
        await database.put(_limit_pages)
        with pytest.raises(StoreUnavailable):
            await _write_for_ever(writer, station)
        assert not writer.healthy
        stored = await count(database, "readings")
        room = text(f"PRAGMA max_page_count = {pages + 10_000}")
        await database.run(lambda c: c.execute(room).scalar())
        await database.put(lambda c: c.execute(room).scalar())
        await until_healthy(writer)
        await writer.write(reading_write(station, 20_000))

    assert await count(database, "readings") == stored + 1
    await database.close()


async def _write_for_ever(writer: Writer, station: ChargingStation) -> None:
    for n in range(10_000):
        await writer.write(reading_write(station, n))


def _limit_pages(connection: Connection) -> int:
    pages = int(connection.execute(text("PRAGMA page_count")).scalar_one())
    connection.execute(text(f"PRAGMA max_page_count = {pages + 2}"))
    return pages


@pytest.mark.usefixtures("impatient")
async def test_connections_that_break_are_replaced(postgres_url: str) -> None:
    """F04: the server drops every connection; writes are held over it, reads come through."""
    database = await Database.open(postgres_url)
    (station,) = await stations(database)
    other = await Database.open(postgres_url)
    kill = text(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )

    async with Writer(database) as writer:
        await writer.write(reading_write(station, 1))
        for n in range(2, 6):
            await other.read(kill)
            await writer.write(reading_write(station, n))
            await other.read(kill)
            assert await count(database, "readings") == n
        assert writer.healthy

    await other.close()
    await database.close()


@pytest.mark.usefixtures("impatient")
async def test_a_table_locked_for_long_is_an_outage(postgres_url: str) -> None:
    """PostgreSQL's lock_timeout speaks before a station gives up."""
    database = await Database.open(postgres_url)
    other = await Database.open(postgres_url)
    (station,) = await stations(database)

    async def hold(seconds: float) -> None:
        await other.run(lambda c: _lock_readings(c, seconds))

    async with Writer(database) as writer:
        holding = asyncio.create_task(hold(2.5))
        await asyncio.sleep(0.3)
        await writer.write(reading_write(station, 1))
        await holding

    assert await count(database, "readings") == 1
    await other.close()
    await database.close()


def _lock_readings(connection: Connection, seconds: float) -> None:
    connection.execute(text("LOCK TABLE readings IN ACCESS EXCLUSIVE MODE"))
    connection.execute(text("SELECT pg_sleep(:s)"), {"s": seconds})


VICTIM = """
import asyncio, sys
from csms.store.database import Database
from csms.store.writer import Writer
from tests.store.given import reading_write, stations

async def main(url):
    database = await Database.open(url)
    (station,) = await stations(database)
    async with Writer(database) as writer:
        async def station_says(first):
            for n in range(first, first + 100_000):
                await writer.write(reading_write(station, n))
                print(n, flush=True)
        await asyncio.gather(*(station_says(k * 1_000_000) for k in range(8)))

asyncio.run(main(sys.argv[1]))
"""


async def test_nothing_acknowledged_is_lost_by_kill(database_url: str) -> None:
    """I1: after SIGKILL in the middle of many commits, every row that was acknowledged is there."""
    root = Path(__file__).parents[2]
    victim = subprocess.Popen(  # noqa: ASYNC220 - its output is read line by line in a thread
        [sys.executable, "-c", VICTIM, database_url],
        stdout=subprocess.PIPE,
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
        text=True,
    )
    assert victim.stdout is not None
    acknowledged = set()

    for line in victim.stdout:
        acknowledged.add(int(line))
        if len(acknowledged) == 400:
            victim.send_signal(signal.SIGKILL)
    victim.wait()
    victim.stdout.close()

    database = await Database.open(database_url)
    rows = await database.read(text("SELECT samples FROM readings"))
    stored = {value for row in rows for _, value in samples_of(row.samples)}
    assert {n * 1000 for n in acknowledged} <= stored
    await database.close()


def test_an_error_without_words_is_named() -> None:
    """The driver's own timeout says nothing; whoever reads the log is told what it was all the same."""
    assert said(TimeoutError()) == "TimeoutError"
    assert said(ValueError("first\nsecond")) == "first"
