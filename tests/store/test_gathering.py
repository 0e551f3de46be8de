"""Small writes that share a transaction: each caller hears its own outcome."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import Connection, select
from sqlalchemy.exc import IntegrityError

from csms.errors import StoreUnavailable
from csms.store.database import Database, Job
from csms.store.gathering import Gathering
from csms.store.tables import counters
from tests.store.given import count


def insert(name: str) -> Job[str]:
    """A job that inserts a counter and says its name."""

    def job(connection: Connection) -> str:
        connection.execute(counters.insert(), {"name": name, "next": 1})
        return name

    return job


async def test_everyone_hears_its_own_result(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hundred jobs are a few transactions."""
    transactions = []
    run = database.run

    async def counted(job: Job[Any]) -> Any:
        transactions.append(job)
        return await run(job)

    monkeypatch.setattr(database, "run", counted)
    gathering = Gathering(database)

    results = await asyncio.gather(*(gathering.run(insert(f"n{n}")) for n in range(100)))

    assert results == [f"n{n}" for n in range(100)]
    assert await count(database, "counters") == 100
    assert len(transactions) <= 2


async def test_a_job_that_fails_is_undone_alone(database: Database) -> None:
    """The others of its transaction are committed."""
    gathering = Gathering(database)

    a, b, twice, c = await asyncio.gather(
        *(gathering.run(insert(name)) for name in ("a", "b", "a", "c")), return_exceptions=True
    )

    assert [a, b, c] == ["a", "b", "c"]
    assert isinstance(twice, IntegrityError)
    rows = await database.read(select(counters.c.name).order_by(counters.c.name))
    assert [row.name for row in rows] == ["a", "b", "c"]


async def test_an_outage_is_heard_by_all_and_survived(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next jobs are tried anew."""
    gathering = Gathering(database)
    run = database.run

    async def fail(_: object) -> None:
        raise StoreUnavailable

    monkeypatch.setattr(database, "run", fail)
    outcomes = await asyncio.gather(*(gathering.run(insert(name)) for name in "ab"), return_exceptions=True)
    monkeypatch.setattr(database, "run", run)

    assert [type(outcome) for outcome in outcomes] == [StoreUnavailable] * 2
    assert await gathering.run(insert("c")) == "c"


async def test_a_caller_that_is_cancelled_disturbs_nobody(database: Database) -> None:
    """The others hear their results."""
    gathering = Gathering(database)
    gone = asyncio.create_task(gathering.run(insert("gone")))
    stays = asyncio.create_task(gathering.run(insert("stays")))
    await asyncio.sleep(0)

    gone.cancel()

    assert await stays == "stays"
