"""Histories of connectors as stations' messages would have made them. Written once, by name."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from csms.domain.assets import ChargingStation, ConnectorStatus
from csms.domain.events import ConnectorStatusChanged
from csms.store.database import Database
from csms.store.records import ConnectorStateRow, Record, StationEventRow
from csms.store.writer import Writer
from tests.store.given import write_of

SOON = timedelta(seconds=1)


def state(
    station: ChargingStation,
    at: datetime,
    status: ConnectorStatus,
    *,
    evse: int = 1,
    connector: int = 1,
    arrived: datetime | None = None,
    error_code: str = "NoError",
) -> ConnectorStateRow:
    """A status; heard of a second later unless said otherwise."""
    event = ConnectorStatusChanged(
        evse=evse, connector=connector, status=status, at=at, error_code=error_code
    )
    return ConnectorStateRow.of(station.station_id, event, arrived or at + SOON)


def link(station: ChargingStation, at: datetime, kind: str) -> StationEventRow:
    """`connected` or `disconnected`."""
    return StationEventRow.of(station.station_id, kind, at, at, {})


async def tell(database: Database, station: ChargingStation, records: Iterable[Record]) -> None:
    """Put records down, each in a commit of its own order."""
    async with Writer(database, fence=False) as writer:
        for record in records:
            await writer.write(write_of(station, record))
