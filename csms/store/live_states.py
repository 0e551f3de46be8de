"""How charging stations fare at this moment, and what their connectors gave out. No caller's words.

Stations are asked for by identity, many at once: a query for fifty sites is a handful of statements.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, bindparam, cast, func, select

from csms.domain.assets import ConnectorStatus
from csms.domain.charging_session import ChargingSession
from csms.domain.meter import Reading
from csms.store.columns import WHOLE
from csms.store.database import Database
from csms.store.device_tables import connectors
from csms.store.readings import samples
from csms.store.resuming import all_resumed
from csms.store.session_queries import ACTIVE, UNENDED
from csms.store.station_queries import IS_ONLINE
from csms.store.tables import charging_stations, operators, session_hours, sessions
from csms.store.times import instant, instant_or_none, micros

Place = tuple[int, int]
"""EVSE and connector."""


class ConnectorNow(NamedTuple):
    """A connector as its station told it last, `since` then."""

    status: ConnectorStatus
    error_code: str
    info: str
    since: datetime


@dataclass(frozen=True, slots=True)
class SessionNow:
    """A running session, with the readings of late where they were asked for."""

    session: ChargingSession
    readings: tuple[Reading, ...] = ()


@dataclass(frozen=True, slots=True)
class StationNow:
    """A charging station. `changed_at`: when its connection last began or ended."""

    station_id: int
    identity: str
    is_online: bool
    changed_at: datetime | None
    connectors: dict[Place, ConnectorNow]
    sessions: tuple[SessionNow, ...]

    def status(self, evse: int, connector: int) -> ConnectorStatus:
        """What stands for the connector now: a station that is away cannot tell."""
        if not self.is_online:
            return ConnectorStatus.OFFLINE
        told = self.connectors.get((evse, connector))
        if told is None:
            return ConnectorStatus.UNKNOWN
        # 2.x says occupied where 1.6 says charging.
        is_charging = self.session_at(evse, connector) is not None
        if told.status is ConnectorStatus.OCCUPIED and is_charging:
            return ConnectorStatus.CHARGING
        return told.status

    def session_at(self, evse: int, connector: int) -> SessionNow | None:
        """The session that runs there; one that names no connector is its EVSE's."""
        for one in self.sessions:
            if one.session.evse == evse and one.session.connector in (0, connector):
                return one
        return None


STATIONS = select(
    charging_stations.c.station_id,
    charging_stations.c.identity,
    charging_stations.c.connected_at,
    charging_stations.c.disconnected_at,
    IS_ONLINE.label("is_online"),
).where(charging_stations.c.identity.in_(bindparam("identities", expanding=True)))
CONNECTORS = select(connectors).where(connectors.c.station_id.in_(bindparam("stations", expanding=True)))
RUNNING = (
    select(sessions)
    .where(sessions.c.station_id.in_(bindparam("stations", expanding=True)), UNENDED, ACTIVE)
    .order_by(sessions.c.started_at.desc(), sessions.c.session_id.desc())
)
ENERGY = (
    select(
        charging_stations.c.identity,
        session_hours.c.evse,
        session_hours.c.connector,
        cast(func.sum(session_hours.c.energy_wh), WHOLE).label("energy_wh"),
    )
    .join(charging_stations, charging_stations.c.station_id == session_hours.c.station_id)
    # Whose the session was: a station may have gone from one operator to another.
    .join(operators, operators.c.operator_id == session_hours.c.operator_id)
    .where(
        operators.c.code == bindparam("operator"),
        charging_stations.c.identity.in_(bindparam("identities", expanding=True)),
        session_hours.c.hour >= bindparam("since"),
        session_hours.c.hour < bindparam("until"),
    )
    .group_by(charging_stations.c.identity, session_hours.c.evse, session_hours.c.connector)
)


class LiveStates:
    """Every method raises StoreUnavailable when the database is away."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def stations(
        self, identities: Iterable[str], readings_since: datetime | None = None
    ) -> dict[str, StationNow]:
        """Those that are registered, by identity; with readings of running sessions from then on."""
        since = None if readings_since is None else micros(readings_since)
        return await self._database.browse(partial(_stations, sorted(set(identities)), since))

    async def energy(
        self, operator: str, identities: Iterable[str], since: datetime, until: datetime
    ) -> dict[tuple[str, int, int], int]:
        """Wh of an operator's sessions by (identity, EVSE, connector).

        Of the hours that begin from `since` on, before `until`.
        """
        asked = {
            "operator": operator,
            "identities": sorted(set(identities)),
            "since": micros(since),
            "until": micros(until),
        }
        rows = await self._database.browse(lambda connection: connection.execute(ENERGY, asked).all())
        return {(row.identity, row.evse, row.connector): row.energy_wh for row in rows}


def _stations(identities: list[str], since: int | None, connection: Connection) -> dict[str, StationNow]:
    rows = connection.execute(STATIONS, {"identities": identities}).all()
    asked = {"stations": [row.station_id for row in rows]}
    told: dict[int, dict[Place, ConnectorNow]] = {}
    for one in connection.execute(CONNECTORS, asked):
        now = ConnectorNow(ConnectorStatus(one.status), one.error_code, one.info, instant(one.since))
        told.setdefault(one.station_id, {})[one.evse, one.connector] = now
    running: dict[int, list[SessionNow]] = {}
    for session in all_resumed(connection.execute(RUNNING, asked).all(), connection):
        running.setdefault(session.station_id, []).append(_session(session, since, connection))
    return {row.identity: _station(row, told, running) for row in rows}


def _session(session: ChargingSession, since: int | None, connection: Connection) -> SessionNow:
    if since is None:
        return SessionNow(session)
    found = samples(session.session_id, connection, since)
    return SessionNow(session, tuple(sample.reading() for sample in found))


def _station(
    row: Row[Any], told: dict[int, dict[Place, ConnectorNow]], running: dict[int, list[SessionNow]]
) -> StationNow:
    times: Sequence[int] = [at for at in (row.connected_at, row.disconnected_at) if at is not None]
    return StationNow(
        row.station_id,
        row.identity,
        bool(row.is_online),
        instant_or_none(max(times, default=None)),
        told.get(row.station_id, {}),
        tuple(running.get(row.station_id, ())),
    )
