"""What one commit of the writer puts down, and who is refused. Knows records and the order of statements.

Runs on a connection within a transaction; waits for nothing and calls nobody.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, Dialect, bindparam, select

from csms.errors import StaleEpoch, StoreError
from csms.store.change_rows import ChangeRow
from csms.store.outage import is_duplicate, is_outage, said
from csms.store.records import ReadingKind, Record, SessionInsert, SessionUpdate
from csms.store.statements import WITH_KINDS, statements
from csms.store.tables import charging_stations

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


Refusals = list[StoreError | None]

EPOCHS = (
    select(charging_stations.c.station_id, charging_stations.c.epoch)
    .where(charging_stations.c.station_id.in_(bindparam("stations", expanding=True)))
    .order_by(charging_stations.c.station_id)
)


class Commit:
    """Puts writes down on one kind of database."""

    def __init__(self, dialect: Dialect, fence: bool) -> None:
        """`fence`: whether stations may have been taken over by another node."""
        self._statements = statements(dialect)
        self._fence = fence
        self.kinds: set[int] = set()
        """Kinds of reading that are known to be stored."""
        self.has_news = False
        """Whether anything went into the feed of changes since somebody looked."""

    def learn(self, kinds: set[int]) -> None:
        """These kinds were committed."""
        if kinds:
            self.kinds = (self.kinds | kinds) if len(self.kinds) < MOST_KINDS else kinds

    def all(self, writes: list[Write], connection: Connection) -> tuple[Refusals, set[int]]:
        """All of them at once; who was refused, and the kinds of reading that were new."""
        refusals = self._stale(writes, connection)
        fresh = [write for write, refusal in zip(writes, refusals, strict=True) if refusal is None]
        return refusals, self._put_down(fresh, connection)

    def each(self, writes: list[Write], connection: Connection) -> Refusals:
        """One by one, each in its savepoint: one that is bad is refused alone."""
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
        unknown: dict[int, ReadingKind] = {}
        for told in WITH_KINDS:
            if told in rows:
                for row in rows[told]:
                    # Most common first: kinds that were stored long ago.
                    unknown |= {kind.kind_id: kind for kind in row[-1] if kind.kind_id not in self.kinds}
        if unknown:
            rows[ReadingKind] = list(unknown.values())
        if ChangeRow in rows:
            self.has_news = True
        for kind in [kind for kind in self._statements if kind in rows]:
            given = rows.pop(kind)
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


def _refusal(write: Write, exc: Exception) -> StoreError:
    """What the caller hears of a row that was refused by itself."""
    starts = any(isinstance(record, (SessionInsert, SessionUpdate)) for record in write.records)
    if starts and is_duplicate(exc):
        return AlreadyStored(write.station_id)
    refused = RowRefused(said(exc))
    refused.__cause__ = exc
    return refused
