"""The end of the feed, followed once per process for everybody who listens.

The local writer wakes it; what other nodes and slow data write is found by looking once a second. Each event
is read once, put into its form once, and handed to every reader that wants it. A reader that does not keep
up is dropped: it knows the last event it got, and goes on from there. While nobody listens nothing is read.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Protocol

import structlog

from csms.config_live import LiveSettings
from csms.domain.charging_session import ChargingSession
from csms.errors import CsmsError, StoreUnavailable
from csms.live.events import Wanted, frame_of
from csms.live.progress import Progress
from csms.store.change_rows import Kind
from csms.store.changes import MOST, ChangeFeed, Event

log = structlog.get_logger()

LOOK_S = 1.0
APART_S = 0.2  # between two looks: a burst of commits is read at once
GAP_S = 0.02
AWAY_S = 1.0


class TooManyReaders(CsmsError):
    """Too many streams are open; close one, or try again later"""


class Source(Protocol):
    """Where the news of this process comes from."""

    announce: Callable[[], None] | None
    show: Callable[[Sequence[ChargingSession]], None] | None


class Reader:
    """Somebody who listens. `wake` is set when there is something, or it is over."""

    def __init__(self, wanted: Wanted, most: int, whose: str = "") -> None:
        self.wanted = wanted
        self.whose = whose
        self.began_at: int | None = None
        """Everything behind this number will come; None until it has begun."""
        self.wake = asyncio.Event()
        self.is_over = False
        """Whether nothing more will come: it was dropped, or the program stops."""
        self._most = most
        self._frames: deque[bytes] = deque()

    def put(self, frame: bytes, is_kept: bool = True) -> None:
        """One more event; of those that are not kept several, which may be left out."""
        if self.is_over or (not is_kept and len(self._frames) >= self._most):
            return
        if len(self._frames) >= self._most:
            log.warning("live_reader_dropped", waiting=len(self._frames))
            self.end()
            return
        self._frames.append(frame)
        self.wake.set()

    def end(self) -> None:
        """Nothing more comes, and what waits is not worth sending."""
        self.is_over = True
        self._frames.clear()
        self.wake.set()

    def take(self) -> bytes:
        """Everything that waits; perhaps nothing."""
        self.wake.clear()
        if self.is_over:
            self.wake.set()
        made = b"".join(self._frames)
        self._frames.clear()
        return made


class Tail:
    """Run it with `run`; stop by cancelling, after `close`."""

    def __init__(
        self,
        feed: ChangeFeed,
        source: Source,
        settings: LiveSettings,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.feed = feed
        self.position = 0
        """Every event up to this number was handed out."""
        self._source = source
        self._settings = settings
        self._progress = Progress(settings.progress_s, clock)
        self._readers: set[Reader] = set()
        self._watchers: set[asyncio.Event] = set()
        self._wanted = asyncio.Event()
        self._poked = asyncio.Event()
        self._follows = asyncio.Event()
        self._is_closed = False

    @property
    def readers(self) -> int:
        """How many listen."""
        return len(self._readers)

    async def open(self, wanted: Wanted, whose: str = "") -> Reader:
        """Begin to listen: everything behind `position`, as it is then, will come.

        Raises TooManyReaders, and StoreUnavailable when the feed cannot be read now.
        """
        if self._is_closed or self._is_full(whose):
            raise TooManyReaders()
        reader = Reader(wanted, self._settings.max_waiting, whose)
        self._readers.add(reader)
        try:
            await self._followed()
        except BaseException:
            self.leave(reader)
            raise
        reader.began_at = self.position
        self._mind_progress()
        return reader

    def _is_full(self, whose: str) -> bool:
        theirs = sum(one.whose == whose for one in self._readers) if whose else 0
        return len(self._readers) >= self._settings.max_readers or theirs >= self._settings.max_readers_each

    def leave(self, reader: Reader) -> None:
        """Listen no more."""
        self._readers.discard(reader)
        self._mind_progress()
        self._mind_rest()

    async def watch(self) -> asyncio.Event:
        """An event that is set whenever `position` has moved; give it to `unwatch` in the end."""
        event = asyncio.Event()
        self._watchers.add(event)
        try:
            await self._followed()
        except BaseException:
            self.unwatch(event)
            raise
        return event

    def unwatch(self, event: asyncio.Event) -> None:
        """Watch no more."""
        self._watchers.discard(event)
        self._mind_rest()

    def poke(self) -> None:
        """There is something new."""
        self._poked.set()

    def close(self) -> None:
        """Send every reader away."""
        self._is_closed = True
        for reader in list(self._readers):
            reader.end()

    async def run(self) -> None:
        """Follow the feed while somebody listens, for ever."""
        while True:
            await self._wanted.wait()
            try:
                await self._follow()
            except StoreUnavailable as exc:
                log.debug("feed_unavailable", error=str(exc))
                await asyncio.sleep(AWAY_S)
            except Exception:
                log.exception("feed_failed")
                await asyncio.sleep(AWAY_S)

    async def _follow(self) -> None:
        if not self._follows.is_set():
            self.position = await self.feed.settled()
            self._progress.places = await self.feed.places()
            self._source.announce = self.poke
            self._follows.set()
        while self._wanted.is_set() and self._follows.is_set():
            self._poked.clear()
            certain = await self.feed.horizon()
            while self.position < certain:
                self._hand_out(await self.feed.read(self.position, certain, MOST), certain)
            if self._progress.is_lost:
                self._progress.places, self._progress.is_lost = await self.feed.places(), False
            await asyncio.sleep(GAP_S if self.feed.is_waiting else APART_S)
            if not self.feed.is_waiting:
                await self._poke()

    async def _poke(self) -> None:
        try:
            async with asyncio.timeout(LOOK_S):
                await self._poked.wait()
        except TimeoutError:
            return

    def _hand_out(self, events: Sequence[Event], certain: int) -> None:
        self._tell(events)
        # Numbers that were never used end a look, too.
        self.position = events[-1].number if len(events) == MOST else certain
        for watcher in self._watchers:
            watcher.set()

    def _tell(self, events: Sequence[Event]) -> None:
        for event in events:
            takers = [one for one in self._readers if one.began_at is not None and one.wanted.takes(event)]
            if takers:
                frame = frame_of(event)
                for reader in takers:
                    reader.put(frame)

    @property
    def wants_progress(self) -> bool:
        """Whether somebody listens to what running sessions have come to."""
        return self._source.show is not None

    def tell_progress(self, events: Sequence[Event]) -> None:
        """Hand out what running sessions have come to; to each reader in one piece, they may be many."""
        framed = [(event, frame_of(event)) for event in events]
        for reader in self._readers:
            takes = reader.wanted.takes
            if reader.began_at is not None and (told := [frame for event, frame in framed if takes(event)]):
                reader.put(b"".join(told), is_kept=False)

    def _show(self, sessions: Sequence[ChargingSession]) -> None:
        try:
            self.tell_progress(self._progress.events(sessions))
        except Exception:
            # The writer must not pay for who listens.
            log.exception("progress_failed")

    def _mind_progress(self) -> None:
        word = Kind.SESSION_PROGRESS.value
        is_wanted = any(one.wanted.kinds is None or word in one.wanted.kinds for one in self._readers)
        self._source.show = self._show if is_wanted else None
        if not is_wanted:
            self._progress.forget()

    def _mind_rest(self) -> None:
        if not self._readers and not self._watchers:
            self._wanted.clear()
            self._follows.clear()
            self._source.announce = None

    async def _followed(self) -> None:
        self._wanted.set()
        self._poked.set()
        try:
            async with asyncio.timeout(5):
                await self._follows.wait()
        except TimeoutError as exc:
            raise StoreUnavailable("the feed cannot be read now") from exc
