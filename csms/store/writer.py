"""Group commit: many messages' rows in one transaction, each answered after it.

`write` appends and waits. One task takes everything that waits, puts it down in one transaction (one
executemany per kind of row), and tells every waiter. Light load: one message, one commit, no delay added.
Heavy load: the list grows by itself while the last commit runs, and then on until nothing more comes at once.

* A batch that fails is repeated write by write, each in its savepoint: only the bad one's caller hears.
* An outage is waited out for `hold_s`; then everyone who waits hears StoreUnavailable, and further writes
  are refused at once until three probes in a row were committed.
* A commit whose outcome is unknown is repeated: rows that were stored refuse or ignore themselves.
* With the fence, one query per batch compares the stations' epochs: a connection that was replaced on
  another node hears StaleEpoch.
* What a running session has come to follows from its messages (`resuming`), so its row is brought up to them
  only once a second: a busy station's row would be rewritten with each of its messages. A commit takes a few
  such rows, so that no message waits for those of a thousand sessions.

What a transaction puts down, and who is refused, is in `commit`.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from functools import partial

import structlog
from sqlalchemy import Connection

from csms.domain.charging_session import ChargingSession
from csms.domain.course import Course
from csms.errors import StoreError, StoreUnavailable
from csms.store.commit import AlreadyStored, Commit, Refusals, RowRefused, Write
from csms.store.database import Database
from csms.store.session_codec import progress_of
from csms.store.tables import probes

__all__ = ["AlreadyStored", "Done", "RowRefused", "Write", "Writer"]

Observe = Callable[[int, float], None]
Announce = Callable[[], None]
Show = Callable[[Sequence[ChargingSession]], None]

FIRST_PAUSE_S = 0.05
LONGEST_PAUSE_S = 1.0
GOOD_PROBES = 3
PROBE_FILLER = "." * 32_768  # eight pages: a full disk must refuse it
PROGRESS_EVERY_S = 1.0
MOST_PROGRESS = 64  # rows of one commit
GROWS_FOR_S, FEW = 0.01, 64


Done = Callable[[StoreError | None], None]
"""Hears how a write went. Must not raise."""

Waiting = tuple[Write, Done]


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
        is_shared = database.dialect == "postgresql" if fence is None else fence
        self._commits = Commit(database.dialect_of, is_shared)
        self.observe = observe
        self.announce: Announce | None = None
        """Hears of every commit that put something into the feed of changes. Must not raise."""
        self.show: Show | None = None
        """Gets sessions that ran on, each at most once a second; None while nobody looks."""
        self._waiting: list[Waiting] = []
        # In the order in which they are due.
        self._courses: dict[int, tuple[float, Course]] = {}
        self._timer: asyncio.TimerHandle | None = None
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
    def kinds(self) -> set[int]:
        """Kinds of reading that are known to be stored."""
        return self._commits.kinds

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
        self._waiting.append((write, partial(_settle, future)))
        self._wake.set()
        await future

    def submit(self, write: Write, done: Done) -> bool:
        """The same for whoever needs no task for it: `done` hears how it went.

        False: there is no room now, or the database is away; nothing was taken.
        """
        if len(self._waiting) >= self._max_waiting or not self.healthy or self._closing:
            return False
        self._waiting.append((write, done))
        self._wake.set()
        return True

    def give_up(self) -> None:
        """What was to be read did not come for as long as a commit is held: the database is away."""
        if self.healthy:
            self._log.error("store_unavailable", error="nothing could be read", waiting=len(self._waiting))
        self.healthy = False
        self._wake.set()

    def went_on(self, course: Course) -> None:
        """A session's messages are stored and its row does not know yet: it will soon."""
        due = self._courses.get(course.session_id)
        # Most common first: its row is due already.
        if due is not None:
            if due[1] is not course:  # the session had another way for a while, and runs on anew
                self._courses[course.session_id] = due[0], course
            return
        loop = asyncio.get_running_loop()
        due_at = loop.time() + PROGRESS_EVERY_S
        self._courses[course.session_id] = due_at, course
        if self._timer is None:
            self._timer = loop.call_at(due_at, self._wake.set)

    async def _run(self) -> None:
        while not (self._closing and not self._waiting and not self._courses):
            await self._wake.wait()
            self._wake.clear()
            while self._waiting or self._is_progress_due():
                await self._let_grow()
                await self._store(self._take())
                await self._recover()
            await self._recover()

    async def _let_grow(self) -> None:
        """Under heavy load, wait while more comes at once: a commit costs as much as twenty messages."""
        clock = asyncio.get_running_loop().time
        until, before = clock() + GROWS_FOR_S, FEW
        while len(self._waiting) > before and clock() < until:
            before = len(self._waiting)
            await asyncio.sleep(0)

    def _is_progress_due(self) -> bool:
        if not self._courses:
            return False
        due_at, _ = next(iter(self._courses.values()))
        return self._closing or asyncio.get_running_loop().time() >= due_at

    def _take(self) -> list[Waiting]:
        batch, self._waiting = self._waiting, []
        self._taken.set()
        if self._is_progress_due():
            batch.append(self._progress())
        return batch

    def _progress(self) -> Waiting:
        loop = asyncio.get_running_loop()
        now = loop.time()
        courses: list[Course] = []
        for due_at, course in self._courses.values():
            if len(courses) == MOST_PROGRESS or not (due_at <= now or self._closing):
                break
            courses.append(course)
        for course in courses:
            del self._courses[course.session_id]
        self._watch(loop)
        sessions = [course.session() for course in courses]

        def done(refusal: StoreError | None) -> None:
            if refusal is not None and not self._closing:
                for course in courses:
                    self.went_on(course)
            elif self.show is not None:
                self.show(sessions)

        return Write(0, 0, [progress_of(session) for session in sessions]), done

    def _watch(self, loop: asyncio.AbstractEventLoop) -> None:
        """Wake when the next row is due."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._courses:
            due_at, _ = next(iter(self._courses.values()))
            self._timer = loop.call_at(due_at, self._wake.set)

    async def _store(self, batch: list[Waiting]) -> None:
        try:
            refusals = await self._hold([write for write, _ in batch])
        except StoreUnavailable as exc:
            self.healthy = False
            self._log.error("store_unavailable", error=str(exc), waiting=len(batch) + len(self._waiting))
            self._tell_all([*batch, *self._take()], StoreUnavailable)
        except Exception:
            self._log.exception("commit_failed")
            self._tell_all(batch, RowRefused)
        else:
            for (_, done), refusal in zip(batch, refusals, strict=True):
                self._tell(done, refusal)

    def _tell_all(self, batch: list[Waiting], refusal: type[StoreError]) -> None:
        for _, done in batch:
            self._tell(done, refusal())

    def _tell(self, done: Done, refusal: StoreError | None) -> None:
        try:
            done(refusal)
        except Exception:
            # Others of the batch, and all that come after it, must not pay for it.
            self._log.exception("hearing_failed")

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
        """When the database is away, wait until it takes writes again, three times in a row."""
        good = 0
        while not self.healthy and not self._closing:
            await asyncio.sleep(LONGEST_PAUSE_S)
            good = good + 1 if await self._probe() else 0
            if good == GOOD_PROBES:
                self.healthy = True
                self._log.warning("store_recovered")

    async def _probe(self) -> bool:
        try:
            await self._database.run(_write_and_remove)
        except StoreUnavailable:
            return False
        return True

    async def _commit(self, writes: list[Write]) -> Refusals:
        started = time.perf_counter()
        try:
            refusals, kinds = await self._database.put(partial(self._commits.all, writes))
        except StoreUnavailable:
            raise
        except Exception:
            # One of them is bad: find out which. Its kinds of reading are not counted as known.
            refusals, kinds = await self._database.run(partial(self._commits.each, writes)), set()
        self._commits.learn(kinds)
        if self._commits.has_news and self.announce is not None:
            self._commits.has_news = False
            self.announce()
        if self.observe is not None:
            self.observe(sum(len(write.records) for write in writes), time.perf_counter() - started)
        return refusals


def _settle(future: "asyncio.Future[None]", refusal: StoreError | None) -> None:
    if future.done():  # its caller was cancelled
        return
    if refusal is None:
        future.set_result(None)
    else:
        future.set_exception(refusal)


def _write_and_remove(connection: Connection) -> None:
    connection.execute(probes.insert(), {"probe_id": time.time_ns(), "filler": PROBE_FILLER})
    connection.execute(probes.delete())
