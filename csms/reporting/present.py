"""How things stand, as outbox rows: connectors, sessions under way, power, sites. Pure.

Of what is only worth something while it is new (a session's status, power) the rows are named after the
thing, so that the newest takes the place of those that were not told.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from csms.domain.assets import ConnectorStatus
from csms.domain.orders import start_charge_seq
from csms.reporting.places import KnownSite
from csms.reporting.routes import Route
from csms.reporting.tcec.charging import ChargeStatus, State
from csms.reporting.tcec.live import NOTHING, live_of
from csms.reporting.tcec.power import ConnectorPower, EquipmentPower, Power, SitePower
from csms.reporting.tcec.status import ConnectorState
from csms.store.live_states import SessionNow, StationNow
from csms.store.records import OutboxRow
from csms.store.times import micros

SUSPENDED = (ConnectorStatus.SUSPENDED_EV, ConnectorStatus.SUSPENDED_EVSE)
Stations = Mapping[str, StationNow]


def status_rows(route: Route, stations: Stations, tick: int, now: datetime) -> list[OutboxRow]:
    """Every connector's status; EVSE 0 is no connector of the city's."""
    rows = []
    for identity, station in stations.items():
        for evse, connector in sorted(station.connectors):
            if evse:
                status = station.status(evse, connector)
                state = ConnectorState(route.operator_code, identity, evse, connector, status, now)
                key = f"{identity}/{evse}/{connector}"
                rows.append(_row(route, "connector-status", key, f"{key}/full/{tick}", state, now))
    return rows


def session_row(
    route: Route,
    site: str,
    station: StationNow,
    one: SessionNow,
    since: datetime,
    now: datetime,
    cost: Mapping[str, Any],
    *,
    skip_stale: bool,
) -> OutboxRow | None:
    """A session under way; None where nothing new is known of it and that is not told."""
    session, live = one.session, live_of(one.readings, since)
    if live == NOTHING and skip_stale:
        return None
    connector = session.connector or 1
    status = station.status(session.evse, connector)
    state: State = "suspended" if status in SUSPENDED else "charging"
    told = ChargeStatus(
        start_charge_seq(route.operator_code, session.session_id), route.operator_code, site,
        station.identity, session.evse, connector, session.started_at, now,
        state=state if station.is_online else "unknown", status=status, energy_wh=session.energy_wh,
        live=live, **cost,
    )  # fmt: skip
    key = str(session.session_id)
    return _row(route, "charge-status", key, key, told, now)


def power_row(
    route: Route, n: int, sites: Sequence[KnownSite], stations: Stations, since: datetime, now: datetime
) -> OutboxRow:
    """The power of some sites; a connector without a session draws none."""
    told = Power(route.operator_code, now, tuple(_site_power(site, stations, since) for site in sites))
    return _row(route, "power", f"power/{n}", f"power/{n}", told, now)


def site_rows(route: Route, sites: Iterable[KnownSite], now: datetime) -> list[OutboxRow]:
    """Sites as they are now, each once for every change."""
    rows = []
    for one in sites:
        key = one.info.site.station_id or one.info.site.site
        changed = 0 if one.changed_at is None else micros(one.changed_at)
        rows.append(_row(route, "station-info", key, f"{key}/{changed}", one.info, now))
    return rows


def _row(route: Route, kind: str, key: str, about: str, record: Any, now: datetime) -> OutboxRow:
    return OutboxRow.of(route.name, kind, key, about, record.to_payload(), now)


def _site_power(site: KnownSite, stations: Stations, since: datetime) -> SitePower:
    info, equipment = site.info, []
    for one in info.equipment:
        station = stations.get(one.identity or "")
        if station is None:  # not connected to us: nothing can be told of it
            continue
        plugs = tuple(
            ConnectorPower(
                plug.evse or 1,
                plug.connector or 1,
                _watts(station, plug.evse or 1, plug.connector or 1, since),
                plug.connector_id,
            )
            for plug in info.connectors
            if plug.equipment_id == one.equipment_id
        )
        equipment.append(EquipmentPower(station.identity, plugs, one.equipment_id))
    return SitePower(info.site.site, tuple(equipment), info.site.station_id, info.site.owner_id or "")


def _watts(station: StationNow, evse: int, connector: int, since: datetime) -> int:
    one = station.session_at(evse, connector)
    milliwatts = None if one is None else live_of(one.readings, since).power
    return 0 if milliwatts is None else round(milliwatts / 1000)
