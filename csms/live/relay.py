"""News of other processes for the tail of this one, over the bus: that there are some, and how sessions run.

Every process that holds stations tells (`Relay`); the one that has listeners hears (`hear`). What is kept in
the feed is read there, so nothing is lost with a message: it would only be seen a second later. Sessions'
progress is told only while somebody has said within seconds that it is wanted.
"""

import asyncio
import time
from collections.abc import Callable, Sequence

import msgspec
import structlog

from csms.cluster.bus import Bus, BusError
from csms.domain.charging_session import ChargingSession
from csms.errors import StoreUnavailable
from csms.live.progress import Progress
from csms.live.tail import Source, Tail
from csms.store.changes import ChangeFeed, Event

log = structlog.get_logger()

NEWS = "csms.v1.news"
PROGRESS = "csms.v1.progress"
WANTED = "csms.v1.progress-wanted"

ASK_EVERY_S = 2.0
WANTED_FOR_S = 6.0
APART_S = 0.2
MOST_EVENTS = 500  # of one message

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[Event]).decode


class Relay:
    """A worker's end. Run it with `run`."""

    def __init__(
        self,
        bus: Bus,
        feed: ChangeFeed,
        source: Source,
        every_s: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`every_s`: how often the progress of one session is told."""
        self._bus = bus
        self._feed = feed
        self._source = source
        self._clock = clock
        self._progress = Progress(every_s, clock)
        self._wanted_until = clock()
        self._news = asyncio.Event()
        self._events: list[Event] = []

    async def run(self) -> None:
        """Tell what there is, for ever."""
        await self._bus.listen(WANTED, self._is_wanted)
        self._source.announce = self._news.set
        while True:
            await self._news.wait()
            self._news.clear()
            try:
                await self._tell()
            except (BusError, StoreUnavailable) as exc:
                log.debug("news_not_told", error=str(exc))
            await asyncio.sleep(APART_S)

    async def _tell(self) -> None:
        if self._clock() > self._wanted_until and self._source.show is not None:
            self._source.show = None
            self._progress.forget()
        if self._progress.is_lost:
            self._progress.places, self._progress.is_lost = await self._feed.places(), False
        events, self._events = self._events, []
        for first in range(0, len(events), MOST_EVENTS):
            await self._bus.publish(PROGRESS, _encode(events[first : first + MOST_EVENTS]))
        await self._bus.publish(NEWS, b"")

    def _is_wanted(self, _: bytes) -> None:
        self._wanted_until = self._clock() + WANTED_FOR_S
        self._source.show = self._show
        self._news.set()  # places may be due

    def _show(self, sessions: Sequence[ChargingSession]) -> None:
        self._events += self._progress.events(sessions)
        self._news.set()


async def hear(bus: Bus, tail: Tail) -> None:
    """Tell the tail what other processes say, and them what it wants, for ever."""
    await bus.listen(NEWS, lambda _: tail.poke())
    await bus.listen(PROGRESS, lambda message: tail.tell_progress(_decode(message)))
    while True:
        if tail.wants_progress:
            await bus.publish(WANTED, b"")
        await asyncio.sleep(ASK_EVERY_S)
