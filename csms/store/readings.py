"""Readings of sessions as they are read: in order of time, each once. No rule about values."""

from typing import NamedTuple

from sqlalchemy import Connection, bindparam, select

from csms.domain.meter import Reading
from csms.store.reading_rows import ReadingKind, unpack
from csms.store.tables import reading_kinds, session_messages
from csms.store.times import instant

LONG_AGO = -(2**62)

KINDS = select(reading_kinds)
ROWS = (
    select(session_messages.c.evse, session_messages.c.samples, session_messages.c.received_at)
    .where(session_messages.c.session_id == bindparam("session_id"), session_messages.c.samples != "")
    .order_by(session_messages.c.entry_id)
)


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
        """Names it among the values of its session, and gives their order."""
        return self.at, self.kind.kind_id, self.evse

    def reading(self) -> Reading:
        """As the domain knows it."""
        _, measurand, phase, location, context = self.kind
        return Reading(instant(self.at), measurand, self.value, phase, location, context, self.raw)


def samples(session_id: int, connection: Connection, since: int = LONG_AGO) -> list[Sample]:
    """The values of a session from `since` on, by `key`. Of equal keys the first that came."""
    kinds = {row.kind_id: ReadingKind(*row) for row in connection.execute(KINDS)}
    found: dict[tuple[int, int, int], Sample] = {}
    for row in connection.execute(ROWS, {"session_id": session_id}):
        for at, some in unpack(row.samples):
            if at < since:
                continue
            for number, value, *raw in some:
                sample = Sample(at, kinds[number], row.evse, value, raw[0] if raw else None, row.received_at)
                found.setdefault(sample.key, sample)
    return [found[key] for key in sorted(found)]
