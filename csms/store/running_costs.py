"""What sessions under way cost so far. Nothing is stored: a session is priced for good when it has ended.

Tariffs are read again only when something of them was written.
"""

from datetime import tzinfo
from functools import partial

from sqlalchemy import Connection, bindparam, select

from csms.domain.charging_session import ChargingSession
from csms.domain.cost import Cost, cost_of, needs_readings
from csms.domain.local_time import zone
from csms.domain.tariff_book import Where
from csms.store import tariff_reads
from csms.store.database import Database
from csms.store.readings import samples
from csms.store.tables import operators

ZONE = select(operators.c.time_zone).where(operators.c.operator_id == bindparam("operator_id"))


class RunningCosts:
    """Raises StoreUnavailable when the database is away."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._book = tariff_reads.KeptBook()

    async def of(self, session: ChargingSession) -> Cost | None:
        """The cost of what has flowed; None where no tariff applies or the energy is not known."""
        return await self._database.browse(partial(self._of, session))

    def _of(self, session: ChargingSession, connection: Connection) -> Cost | None:
        # A connector that nobody named is the EVSE's only one.
        plug = (session.evse, session.connector or 1)
        where = Where(session.operator_id, session.site_id, session.station_id, *plug)
        book = self._book.of(connection)
        applied = None if book is None else book.applies(where, session.started_at)
        if applied is None or session.energy_wh is None:
            return None
        tariff, local = applied.version.tariff, _zone(session, connection)
        # It is asked every few seconds of everything that charges: most of it has one price so far.
        is_split = needs_readings(session, tariff, local)
        told = samples(session.session_id, connection) if is_split else ()
        return cost_of(session, [sample.reading() for sample in told], tariff, local)


def _zone(session: ChargingSession, connection: Connection) -> tzinfo:
    name = connection.scalar(ZONE, {"operator_id": session.operator_id})
    return zone(name or "UTC")
