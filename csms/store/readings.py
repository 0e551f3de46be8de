"""Readings as they are read: in order of time, each once. Knows how rows are read; no rule about values."""

from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import attrgetter
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, select, tuple_

from csms.domain.meter import Reading
from csms.store.reading_rows import ReadingKind, samples_of
from csms.store.tables import reading_kinds, readings
from csms.store.times import instant

CHUNK = 1_000  # rows per query

KINDS = select(reading_kinds)
_PLACE = (readings.c.at, readings.c.evse, readings.c.part)
ROWS = (
    select(readings)
    .where(
        readings.c.owner_id == bindparam("owner_id"),
        tuple_(*_PLACE) > tuple_(bindparam("at"), bindparam("evse"), bindparam("part")),
    )
    .order_by(*_PLACE)
    .limit(CHUNK)
)
LONG_AGO = -(2**62)


class Sample(NamedTuple):
    """One value. Times in microseconds, the value in thousandths of its unit."""

    at: int
    kind: ReadingKind
    evse: int
    value: int | None
    raw: str | None
    received_at: int

    @property
    def key(self) -> tuple[int, int, int]:
        """Names it among the values of its owner, and gives their order."""
        return self.at, self.kind.kind_id, self.evse

    def reading(self) -> Reading:
        """As the domain knows it."""
        _, measurand, phase, location, context = self.kind
        return Reading(instant(self.at), measurand, self.value, phase, location, context, self.raw)


def samples(owner_id: int, connection: Connection, since: int = LONG_AGO) -> Iterator[Sample]:
    """The values of an owner from `since` on, by `key`. Of equal keys the first that came."""
    kinds = {row.kind_id: ReadingKind(*row) for row in connection.execute(KINDS)}
    for _, rows in groupby(_rows(owner_id, since, connection), attrgetter("at")):
        found: dict[tuple[int, int, int], Sample] = {}
        for row in sorted(rows, key=attrgetter("received_at")):
            for sample in _samples(row, kinds):
                found.setdefault(sample.key, sample)
        yield from (found[key] for key in sorted(found))


def _rows(owner_id: int, since: int, connection: Connection) -> Iterator[Any]:
    """A chunk at a time: nobody need hold a year of readings."""
    asked = {"owner_id": owner_id, "at": since, "evse": -1, "part": -1}
    while True:
        rows = connection.execute(ROWS, asked).all()
        yield from rows
        if len(rows) < CHUNK:
            return
        asked |= {"at": rows[-1].at, "evse": rows[-1].evse, "part": rows[-1].part}


def _samples(row: Any, kinds: dict[int, ReadingKind]) -> Iterable[Sample]:
    for number, value, *raw in samples_of(row.samples):
        yield Sample(row.at, kinds[number], row.evse, value, raw[0] if raw else None, row.received_at)
