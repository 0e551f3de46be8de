"""Small writes that share a transaction: whoever asks while one runs goes into the next.

Twenty thousand stations that reconnect raise twenty thousand epochs; one commit each would take a minute.
Jobs are independent: one that raises is undone alone, and only its caller hears.
"""

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import Any

from sqlalchemy import Connection

from csms.store.database import Database, Job, T
from csms.store.outage import is_outage

Outcome = tuple[Any, Exception | None]


class Gathering:
    """Runs jobs as `Database.run` does, several to a transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: list[tuple[Job[Any], asyncio.Future[Any]]] = []
        self._task: asyncio.Task[None] | None = None

    async def run(self, job: Job[T]) -> T:
        """`job`'s result after the commit. Raises what it raises, or StoreUnavailable."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self._waiting.append((job, future))
        if self._task is None or self._task.done():
            self._task = loop.create_task(self._drain(), name="gathered writes")
        return await future

    async def _drain(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting, []
            try:
                outcomes = await self._database.run(partial(_each, [job for job, _ in batch]))
            except Exception as exc:
                outcomes = [(None, exc)] * len(batch)
            for (_, future), (result, error) in zip(batch, outcomes, strict=True):
                if future.done():  # its caller was cancelled
                    continue
                if error is None:
                    future.set_result(result)
                else:
                    future.set_exception(error)


def _each(jobs: Sequence[Job[Any]], connection: Connection) -> list[Outcome]:
    if len(jobs) == 1:
        return [(jobs[0](connection), None)]
    return [_in_savepoint(job, connection) for job in jobs]


def _in_savepoint(job: Job[Any], connection: Connection) -> Outcome:
    try:
        with connection.begin_nested():
            return job(connection), None
    except Exception as exc:
        if is_outage(exc):
            raise
        return None, exc
