"""Group commit: many messages' rows in one transaction, each answered after it.

`write` appends and waits. One task takes everything that waits, puts it down in one transaction (one
executemany per kind of row), and tells every waiter. Light load: one message, one commit, no delay added.
Heavy load: the list grows by itself while the last commit runs; there is no timer and no batch size.

* A batch that fails is repeated write by write, each in its savepoint: only the bad one's caller hears.
* An outage is waited out for `hold_s`; then everyone who waits hears StoreUnavailable, and further writes
  are refused at once until three probes in a row were committed.
* A commit whose outcome is unknown is repeated: rows that were stored refuse or ignore themselves.
* With the fence, one query per batch compares the stations' epochs: a connection that was replaced on
  another node hears StaleEpoch.

Knows records and statements' order; not what they mean.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import structlog
from sqlalchemy import Connection, bindparam, select

from csms.errors import StaleEpoch, StoreError, StoreUnavailable
from csms.store.database import Database
from csms.store.outage import is_duplicate, is_outage
from csms.store.records import ReadingKind, ReadingRow, Record, SessionInsert, SessionUpdate
from csms.store.statements import flat_readings, statements
from csms.store.tables import charging_stations, probes

Observe = Callable[[int, float], None]

FIRST_PAUSE_S = 0.05
LONGEST_PAUSE_S = 1.0
GOOD_PROBES = 3
PROBE_FILLER = "." * 32_768  # eight pages: a full disk must refuse it
MOST_KINDS = 4_096


class AlreadyStored(StoreError):
    """A session with this start key is stored; it was started by another delivery of the same message."""


class RowRefused(StoreError):
    """A row cannot be stored:"""


class Write(NamedTuple):
    """The rows of one message. `epoch` is that of the connection it came by."""

    station_id: int
    epoch: int
    records: Sequence[Record]


Waiting = tuple[Write, "asyncio.Future[None]"]
Refusals = list[StoreError | None]

EPOCHS = (
    select(charging_stations.c.station_id, charging_stations.c.epoch)
    .where(charging_stations.c.station_id.in_(bindparam("stations", expanding=True)))
    .order_by(charging_stations.c.station_id)
)


class Writer:
    """The only way for what stations tell into the database."""

    def __init__(
        self,
        database: Database,
        *,
        hold_s: float = 20.0,
        max_waiting: int = 10_000,
        fence: bool | None = None,
        observe: Observe | None = None,
    ) -> None:
        """`fence` None: on for PostgreSQL only. `observe(rows, seconds)` hears of every commit."""
        self._database = database
        self._hold_s = hold_s
        self._max_waiting = max_waiting
        self._fence = database.dialect == "postgresql" if fence is None else fence
        self.observe = observe
        self._statements = statements(database.dialect_of)
        self._kinds: set[int] = set()
        self._waiting: list[Waiting] = []
        self._wake = asyncio.Event()
        self._taken = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._closing = False
        self._log = structlog.get_logger()
        self.healthy = True

    async def __aenter__(self) -> "Writer":
        self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def start(self) -> None:
        """Begin to take writes. Needs the running loop."""
        self._task = asyncio.create_task(self._run(), name="writer")

    async def close(self) -> None:
        """Commit what waits, then stop."""
        self._closing = True
        self._wake.set()
        if self._task is not None:
            await self._task
            self._task = None

    @property
    def waiting(self) -> int:
        """Writes that wait for the next commit."""
        return len(self._waiting)

    async def write(self, write: Write) -> None:
        """Put `write` down; returns after its commit (fsynced).

        Raises AlreadyStored, StaleEpoch, StoreUnavailable, or the database's own error for a row that
        cannot be stored; nothing of `write` is stored then.
        """
        while len(self._waiting) >= self._max_waiting and self.healthy:
            self._taken.clear()
            await self._taken.wait()
        if not self.healthy or self._closing:
            raise StoreUnavailable()
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((write, future))
        self._wake.set()
        await future

    async def _run(self) -> None:
        while not (self._closing and not self._waiting):
            await self._wake.wait()
            self._wake.clear()
            while batch := self._take():
                await self._store(batch)

    def _take(self) -> list[Waiting]:
        batch, self._waiting = self._waiting, []
        self._taken.set()
        return batch

    async def _store(self, batch: list[Waiting]) -> None:
        try:
            refusals = await self._hold([write for write, _ in batch])
        except StoreUnavailable as exc:
            self.healthy = False
            self._log.error("store_unavailable", error=str(exc), waiting=len(batch) + len(self._waiting))
            _tell_all([*batch, *self._take()], StoreUnavailable)
            await self._recover()
        except Exception:
            self._log.exception("commit_failed")
            _tell_all(batch, RowRefused)
        else:
            for (_, future), refusal in zip(batch, refusals, strict=True):
                _tell(future, refusal)

    async def _hold(self, writes: list[Write]) -> Refusals:
        """Commit `writes`, again and again through an outage of at most `hold_s`."""
        loop = asyncio.get_running_loop()
        give_up_at, pause = loop.time() + self._hold_s, FIRST_PAUSE_S
        while True:
            try:
                refusals = await self._commit(writes)
            except StoreUnavailable as exc:
                if pause == FIRST_PAUSE_S:
                    self._log.warning("store_failed", error=str(exc))
                if self._closing or loop.time() + pause > give_up_at:
                    raise
                await asyncio.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE_S)
            else:
                if pause > FIRST_PAUSE_S:
                    self._log.warning("store_recovered")
                return refusals

    async def _recover(self) -> None:
        """Wait until the database takes writes again, three times in a row."""
        good = 0
        while good < GOOD_PROBES and not self._closing:
            await asyncio.sleep(LONGEST_PAUSE_S)
            good = good + 1 if await self._probe() else 0
        self.healthy = good == GOOD_PROBES
        self._log.warning("store_recovered" if self.healthy else "store_left_unavailable")

    async def _probe(self) -> bool:
        try:
            await self._database.run(_write_and_remove)
        except StoreUnavailable:
            return False
        return True

    async def _commit(self, writes: list[Write]) -> Refusals:
        started = time.perf_counter()
        try:
            refusals, kinds = await self._database.run(partial(self._put_down_all, writes))
        except StoreUnavailable:
            raise
        except Exception:
            # One of them is bad: find out which. Its kinds of reading are not counted as known.
            refusals, kinds = await self._database.run(partial(self._put_down_each, writes)), set()
        if kinds:
            self._kinds = (self._kinds | kinds) if len(self._kinds) < MOST_KINDS else kinds
        if self.observe is not None:
            self.observe(sum(len(write.records) for write in writes), time.perf_counter() - started)
        return refusals

    def _put_down_all(self, writes: list[Write], connection: Connection) -> tuple[Refusals, set[int]]:
        refusals = self._stale(writes, connection)
        fresh = [write for write, refusal in zip(writes, refusals, strict=True) if refusal is None]
        return refusals, self._put_down(fresh, connection)

    def _put_down_each(self, writes: list[Write], connection: Connection) -> Refusals:
        refusals = self._stale(writes, connection)
        for n, write in enumerate(writes):
            if refusals[n] is not None:
                continue
            try:
                with connection.begin_nested():
                    self._put_down([write], connection)
            except Exception as exc:
                if is_outage(exc):
                    raise
                refusals[n] = _refusal(write, exc)
        return refusals

    def _put_down(self, writes: list[Write], connection: Connection) -> set[int]:
        """One executemany per kind of row; the kinds of reading that were new."""
        rows: dict[type, list[Any]] = {}
        for write in writes:
            for record in write.records:
                rows.setdefault(type(record), []).append(record)
        told = (kind for row in rows.get(ReadingRow, ()) for kind in row.kinds)
        unknown = {kind.kind_id: kind for kind in told if kind.kind_id not in self._kinds}
        if unknown:
            rows[ReadingKind] = list(unknown.values())
        for kind in [kind for kind in self._statements if kind in rows]:
            given = flat_readings(rows.pop(kind)) if kind is ReadingRow else rows.pop(kind)
            for statement in self._statements[kind]:
                connection.exec_driver_sql(statement.sql, statement.parameters(given))
        assert not rows, f"no statement for {rows.keys()}"
        return set(unknown)

    def _stale(self, writes: list[Write], connection: Connection) -> Refusals:
        """StaleEpoch for each write of a connection that was replaced; None for the others."""
        if not self._fence:
            return [None] * len(writes)
        # A share lock until the commit: raising an epoch waits for us, so that the new connection reads
        # everything the old one was still allowed to write.
        asked = EPOCHS.with_for_update(read=True)
        found = connection.execute(asked, {"stations": list({write.station_id for write in writes})}).all()
        epochs = {row.station_id: row.epoch for row in found}
        return [
            None if epochs.get(write.station_id, write.epoch) == write.epoch else StaleEpoch(write.station_id)
            for write in writes
        ]


def _tell(future: "asyncio.Future[None]", refusal: Exception | None) -> None:
    if future.done():  # its caller was cancelled
        return
    if refusal is None:
        future.set_result(None)
    else:
        future.set_exception(refusal)


def _tell_all(batch: list[Waiting], refusal: type[StoreError]) -> None:
    for _, future in batch:
        _tell(future, refusal())


def _refusal(write: Write, exc: Exception) -> StoreError:
    """What the caller hears of a row that was refused by itself."""
    starts = any(isinstance(record, (SessionInsert, SessionUpdate)) for record in write.records)
    if starts and is_duplicate(exc):
        return AlreadyStored(write.station_id)
    refused = RowRefused(str(getattr(exc, "orig", exc)).splitlines()[0])
    refused.__cause__ = exc
    return refused


def _write_and_remove(connection: Connection) -> None:
    connection.execute(probes.insert(), {"probe_id": time.time_ns(), "filler": PROBE_FILLER})
    connection.execute(probes.delete())
