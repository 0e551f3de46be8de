"""Tariffs as they are stored: the book of all that is valid anywhere, and when it must be read again.

`stamp` changes with every write of a tariff, version or assignment: who holds a book need not read it again
while the stamp is the same. Knows tables; no session.
"""

from typing import Any

import msgspec
from sqlalchemy import Connection, Row, bindparam, select

from csms.domain.tariff import Tariff
from csms.domain.tariff_book import Assignment, TariffBook, Version, Where, places
from csms.store.statements import upsert
from csms.store.tables import counters
from csms.store.tariff_tables import tariff_assignments, tariff_versions, tariffs
from csms.store.times import instant, instant_or_none

STAMP_NAME = "tariffs"

STAMP = select(counters.c.next).where(counters.c.name == STAMP_NAME)
VERSIONS = select(tariff_versions, tariffs.c.code).join(
    tariffs, tariffs.c.tariff_id == tariff_versions.c.tariff_id
)
VERSIONS_OF = VERSIONS.where(tariff_versions.c.tariff_id == bindparam("tariff_id")).order_by(
    tariff_versions.c.number
)
ASSIGNMENTS = select(tariff_assignments)

_read = msgspec.json.Decoder(Tariff).decode
_write = msgspec.json.Encoder().encode


def body_of(tariff: Tariff) -> str:
    """What a version says, as it is stored."""
    return _write(tariff).decode()


def stamp(connection: Connection) -> int | None:
    """Another number after each write; None while no tariff was ever made."""
    return connection.execute(STAMP).scalar()


def bump(connection: Connection) -> None:
    """Another stamp. First in a transaction, so that writers of tariffs wait for each other."""
    made = upsert(connection.dialect)(counters).values(name=STAMP_NAME, next=1)
    again = made.on_conflict_do_update(index_elements=["name"], set_={"next": counters.c.next + 1})
    connection.execute(again)


def book(connection: Connection) -> TariffBook:
    """Everything that is or was or will be valid."""
    return TariffBook(
        [version_of(row) for row in connection.execute(VERSIONS)],
        [assignment_of(row) for row in connection.execute(ASSIGNMENTS)],
    )


class KeptBook:
    """The book, read again only when something of it was written."""

    def __init__(self) -> None:
        self._kept: tuple[int | None, TariffBook] = (None, TariffBook((), ()))

    def of(self, connection: Connection) -> TariffBook | None:
        """All tariffs; None while no tariff was ever made."""
        # The stamp first: a book that is newer than its stamp is merely read once more.
        now = stamp(connection)
        if now is None:
            return None
        known, kept = self._kept
        if known != now:
            kept = book(connection)
            self._kept = (now, kept)
        return kept


def version_of(row: Row[Any]) -> Version:
    """The version of a row of VERSIONS."""
    return Version(
        row.version_id,
        row.tariff_id,
        row.code,
        row.number,
        instant(row.valid_from),
        instant_or_none(row.valid_until),
        _read(row.body),
    )


def assignment_of(row: Row[Any]) -> Assignment:
    """The assignment of a row of ASSIGNMENTS."""
    if row.station_id is not None:
        where = Where(None, None, row.station_id, row.evse, row.connector)
    else:
        where = Where(None, row.site_id) if row.site_id is not None else Where(row.operator_id)
    return Assignment(
        row.assignment_id, row.tariff_id, row.operator_id, places(where)[0], instant(row.valid_from)
    )
