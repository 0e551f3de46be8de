"""The message log: what stations and we said to each other, for operators. Off the way of the messages.

Entries gather in memory and one task writes them, a batch at a time. When more come than can be written
the oldest are dropped and counted: the log must never hold up what it tells of. Knows no OCPP.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import NamedTuple, Protocol

import structlog
from sqlalchemy import Connection, bindparam, delete, insert, select

from csms.config import MessageSettings
from csms.errors import StoreUnavailable
from csms.store.database import Database
from csms.store.device_tables import messages
from csms.store.statements import prepare
from csms.store.times import micros

FLUSH_S = 0.5
BATCH = 200  # rows; a larger batch would hold up the commits of the stations' messages
PRUNED = 2_000  # rows per transaction
PRUNE_EVERY_S = 60.0
CUT = " ...[cut]"


class Entry(Protocol):
    """One request and its answer. `direction`: in (from the station) or out."""

    @property
    def station_id(self) -> int: ...
    @property
    def at(self) -> datetime: ...
    @property
    def direction(self) -> str: ...
    @property
    def message_id(self) -> str: ...
    @property
    def action(self) -> str: ...
    @property
    def request(self) -> bytes: ...
    @property
    def answer(self) -> bytes | None: ...
    @property
    def outcome(self) -> str: ...
    @property
    def latency_us(self) -> int | None: ...


class MessageRow(NamedTuple):
    """A row of `messages`."""

    station_id: int
    at: int
    direction: str
    message_id: str
    action: str
    request: str
    answer: str | None
    outcome: str
    latency_us: int | None


INSERT = insert(messages).values({name: bindparam(name) for name in MessageRow._fields}).inline()
OLDEST = select(messages.c.entry_id).order_by(messages.c.entry_id).limit(PRUNED)
# Rows stand in the order of their time: the oldest are looked at without an index over it.
PRUNE = delete(messages).where(messages.c.entry_id.in_(OLDEST), messages.c.at < bindparam("before"))


class MessageLog:
    """Takes entries at once, writes them soon, removes them when their time is over."""

    def __init__(self, database: Database, limits: MessageSettings, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now
        self._max_bytes = limits.max_bytes
        self._retention = timedelta(days=limits.retention_days)
        self._waiting: deque[Entry] = deque(maxlen=limits.max_waiting)
        self._insert = prepare(INSERT, MessageRow._fields, database.dialect_of)
        self._stop = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._is_failing = False
        self._log = structlog.get_logger()
        self.written = 0
        self.dropped = 0

    async def __aenter__(self) -> "MessageLog":
        self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def start(self) -> None:
        """Begin to write and to remove. Needs the running loop."""
        self._task = asyncio.create_task(self._run(), name="message log")

    async def close(self) -> None:
        """Write what waits, if the database takes it, and stop."""
        self._stop.set()
        if self._task is not None:
            await self._task
            self._task = None
        await self.flush()

    @property
    def waiting(self) -> int:
        """Entries in memory."""
        return len(self._waiting)

    def add(self, entry: Entry) -> None:
        """Keep `entry`. Returns at once; nothing is encoded here."""
        if len(self._waiting) == self._waiting.maxlen:
            self.dropped += 1
        self._waiting.append(entry)

    async def flush(self) -> bool:
        """Write everything that waits; False when the database does not take it (it is kept)."""
        while self._waiting:
            entries = [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]
            try:
                await self._database.put(partial(self._put_down, entries))
            except StoreUnavailable as exc:
                self._keep(entries)
                self._note_failure(str(exc))
                return False
            except Exception as exc:  # a row that no database takes must not stop the log
                self.dropped += len(entries)
                self._note_failure(str(exc))
                continue
            self.written += len(entries)
            self._is_failing = False
        return True

    async def prune(self) -> int:
        """Remove one batch of what is older than the retention; how many."""
        before = micros(self._now() - self._retention)
        return await self._database.execute(PRUNE, {"before": before})

    async def _run(self) -> None:
        clock = asyncio.get_running_loop().time
        prune_at = clock() + PRUNE_EVERY_S
        while not await self._is_stopped_within(FLUSH_S):
            if await self.flush() and clock() >= prune_at:
                # A full batch: there is more to remove.
                prune_at = clock() + (0 if await self._prune() == PRUNED else PRUNE_EVERY_S)

    async def _is_stopped_within(self, seconds: float) -> bool:
        try:
            await asyncio.wait_for(self._stop.wait(), seconds)
        except TimeoutError:
            return False
        return True

    async def _prune(self) -> int:
        try:
            return await self.prune()
        except StoreUnavailable as exc:
            self._note_failure(str(exc))
            return 0

    def _keep(self, entries: list[Entry]) -> None:
        """Put entries back in front, as far as there is room."""
        room = (self._waiting.maxlen or 0) - len(self._waiting)
        self.dropped += max(0, len(entries) - room)
        self._waiting.extendleft(reversed(entries[-room:] if room else []))

    def _note_failure(self, error: str) -> None:
        if not self._is_failing:
            self._log.warning("message_log_failed", error=error, waiting=len(self._waiting))
        self._is_failing = True

    def _put_down(self, entries: Sequence[Entry], connection: Connection) -> None:
        # Made here, off the event loop.
        rows = [self._row(entry) for entry in entries]
        connection.exec_driver_sql(self._insert.sql, self._insert.parameters(rows))

    def _row(self, entry: Entry) -> MessageRow:
        answer = entry.answer
        row = (
            entry.station_id,
            micros(entry.at),
            entry.direction,
            entry.message_id,
            entry.action,
            self._text(entry.request),
            None if answer is None else self._text(answer),
            entry.outcome,
            entry.latency_us,
        )
        # A third of the time of `MessageRow(...)`: every message comes by.
        return tuple.__new__(MessageRow, row)

    def _text(self, sent: bytes) -> str:
        """What was sent, cut, and readable by any database: it may never have been proper text."""
        if len(sent) > self._max_bytes:
            return _readable(sent[: self._max_bytes]) + CUT
        return _readable(sent)


def _readable(sent: bytes) -> str:
    text = sent.decode("utf-8", "replace")
    return text.replace("\0", "\ufffd") if "\0" in text else text
