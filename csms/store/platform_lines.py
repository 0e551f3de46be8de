"""Which lines a page of totals has: subjects in periods, by start, then by clock, then by subject.

Subjects are read a chunk at a time, by key, so that a page costs what it shows. Knows no figure.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from heapq import merge
from typing import NamedTuple

from sqlalchemy import Connection, func, literal_column, select

from csms.domain.calendar import PERIODS, periods, units
from csms.domain.local_time import zone
from csms.domain.timeline import Span
from csms.errors import InvalidInput
from csms.store.paging import cursor_of, key_of
from csms.store.platform_figures import Key
from csms.store.platform_hours import PlatformHours
from csms.store.platform_subjects import LEVELS, NARROW, Chunk, Scope, Subject, clocks, subjects
from csms.store.platform_subjects import Key as SubjectKey
from csms.store.tables import totals
from csms.store.times import instant, micros
from csms.store.uptime_tables import use_periods

MOST_CHUNK = 1_001  # subjects read at once
MOST_UNITS = 16  # stored periods of a page of operators, districts or cities
MOST_STATION_HOURS = 20_000  # read from histories for one page
LONGEST = {"hour": timedelta(days=366), "day": timedelta(days=3660)}
ONE = {"day": timedelta(days=2), "month": timedelta(days=32), "year": timedelta(days=367)}
USUAL = {
    "hour": timedelta(days=1),
    "day": timedelta(days=31),
    "month": timedelta(days=366),
    "year": timedelta(days=1830),
}


@dataclass(frozen=True, slots=True)
class PlatformFilter:
    """`by`: hour, day, month, year. Periods that begin from `since` to `until`; None: the latest ones."""

    by: str
    scope: Scope
    since: datetime | None = None
    until: datetime | None = None


class Line(NamedTuple):
    """A row to be: a subject in a period, and the stored periods that it is made of."""

    subject: Subject
    span: Span
    keys: tuple[Key, ...]


FIRST_USE = select(func.min(use_periods.c.start)).where(use_periods.c.period == literal_column("'day'"))
FIRST_TOTAL = select(func.min(totals.c.start)).where(
    totals.c.period == literal_column("'day'"), totals.c.level == literal_column("'station'")
)


def span_of(wanted: PlatformFilter, now: datetime) -> Span:
    """The time that is asked for. Raises InvalidInput for words that mean nothing, and for too much."""
    if wanted.by not in PERIODS or wanted.scope.of not in LEVELS:
        raise InvalidInput(f"by: one of {', '.join(PERIODS)}; of: one of {', '.join(LEVELS)}")
    until = min(wanted.until or now, now)
    since = wanted.since or until - USUAL[wanted.by]
    longest = LONGEST.get(wanted.by)
    if longest is not None and until - since > longest:
        raise InvalidInput(f"from: at most {longest.days} days of {wanted.by}s in one question")
    return Span(since, until)


def page_of(
    wanted: PlatformFilter, span: Span, after: str | None, most: int, connection: Connection
) -> tuple[list[Line], bool]:
    """The lines of a page, and whether there are more. What is before all figures is left out."""
    firsts = [connection.execute(query).scalar() for query in (FIRST_USE, FIRST_TOTAL)]
    known = [instant(first) for first in firsts if first is not None]
    if wanted.by != "hour":
        earliest = min(known, default=span.end) - ONE[wanted.by]
        span = Span(max(span.start, earliest), span.end)
    lines = _lines(wanted, span, Cursor.of(after), min(most + 1, MOST_CHUNK), connection)
    page: list[Line] = []
    stop = _Budget(wanted, connection)
    for line in lines:
        if page and (len(page) == most or stop.is_spent(line)):
            return page, True
        page.append(line)
        stop.spend(line)
    return page, False


class _Budget:
    """How much one page may cost, besides the number of its rows. A page has one start at least."""

    def __init__(self, wanted: PlatformFilter, connection: Connection) -> None:
        self._starts: set[int] = set()
        self._most: int | None = None
        if wanted.scope.of not in NARROW:
            self._most = MOST_UNITS
            if wanted.by == "hour":
                count = PlatformHours.count_stations(wanted.scope, connection)
                self._most = max(1, min(MOST_UNITS, MOST_STATION_HOURS // max(count, 1)))

    def is_spent(self, line: Line) -> bool:
        """Whether this line would be too much."""
        if self._most is None:
            return False
        return len(self._starts | {key.start for key in line.keys}) > self._most

    def spend(self, line: Line) -> None:
        """It is on the page."""
        self._starts |= {key.start for key in line.keys}


class Cursor(NamedTuple):
    """The last line that was seen."""

    start: int
    zone: str
    key: SubjectKey

    @classmethod
    def of(cls, text: str | None) -> "Cursor | None":
        """Raises InvalidInput for a text that is none."""
        if text is None:
            return None
        start, clock, *key = key_of(text, (int, str, str, str, int, int))
        try:
            instant(start)
        except OverflowError as exc:
            raise InvalidInput("after: this is no cursor") from exc
        return cls(start, clock, (key[0], key[1], key[2], key[3]))


def cursor(line: Line) -> str:
    """Where the page after this line begins."""
    return cursor_of(micros(line.span.start), line.subject.zone, *line.subject.key)


def _lines(
    wanted: PlatformFilter, span: Span, after: Cursor | None, most: int, connection: Connection
) -> Iterator[Line]:
    """By start, then by clock, then by subject, from after the cursor on."""
    runs = [
        _of_zone(wanted, clock, span, after, most, connection) for clock in clocks(wanted.scope, connection)
    ]
    return merge(*runs, key=lambda line: (line.span.start, line.subject.zone))


def _of_zone(
    wanted: PlatformFilter,
    clock: str,
    span: Span,
    after: Cursor | None,
    most: int,
    connection: Connection,
) -> Iterator[Line]:
    local = zone(clock)
    since = span.start if after is None else max(span.start, instant(after.start))
    first: list[Subject] | None = None  # the same for every period
    for period in periods(wanted.by, Span(since, span.end), local):
        starts = [micros(start) for start in units(wanted.by, period, local)]
        key: SubjectKey | None = None
        if after is not None and micros(period.start) == after.start:
            if clock < after.zone:
                continue
            key = after.key if clock == after.zone else None
        while True:
            if key is None and first is not None:
                some = first
            else:
                some = subjects(wanted.scope, Chunk(clock, key, most), connection)
            first = some if key is None else first
            for subject in some:
                yield Line(subject, period, tuple(Key(subject.numbers, start) for start in starts))
            if len(some) < most:
                break
            key = some[-1].key
