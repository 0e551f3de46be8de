"""Queries about sites: what there is, how it fares, what it gave out. Words are those of the pushes.

query_stations_info, query_station_status, query_station_stats, supervise_query_operator_info, and what
Shenzhen and Zhejiang make of them.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from math import ceil
from typing import Any

import structlog

from csms.domain.assets import ConnectorStatus
from csms.domain.inventory import ConnectorRecord
from csms.reporting.tcec.live import NOTHING, Live, live_of
from csms.reporting.tcec.profile import Profile
from csms.reporting.tcec.pulls import PagedPull, StatusPull
from csms.reporting.tcec.server import asks
from csms.reporting.tcec.server.asks import PageAsk, StatsAsk, StatusAsk
from csms.reporting.tcec.server.catalogue import Catalogue
from csms.reporting.tcec.server.inbound import Inbound
from csms.reporting.tcec.server.refusals import bad_business
from csms.reporting.tcec.stations import SiteInfo, operator_body, site_body
from csms.reporting.tcec.status import STATUS, ConnectorState
from csms.reporting.tcec.wording import BadRecord, Place, body_of, kilo
from csms.store.live_states import LiveStates, StationNow

HOUR = timedelta(hours=1)
FRESH = timedelta(minutes=5)  # older readings say nothing about now
LONGEST = timedelta(days=400)
LIVE_FIELDS = frozenset({"CurrentA", "VoltageA", "Soc", "ConnectorTemp", "EquipmentTemp"})

log = structlog.get_logger()


async def operator_info(catalogue: Catalogue, platform: Inbound, ask: PageAsk) -> dict[str, Any]:
    """One page with the one operator. Raises Refusal."""
    operator = await catalogue.operator(platform)
    infos = []
    since = _since(ask)
    # An operator that nobody described further has no time of modification, and is told in any case.
    if operator is not None and not (since and operator.modified_at and operator.modified_at < since):
        try:
            infos.append(operator_body(operator, platform.profile))
        except BadRecord as exc:
            log.error("city_operator_not_told", platform=platform.name, reason=str(exc))
    return {"PageNo": 1, "PageCount": 1, "ItemSize": len(infos), "OperatorInfos": infos}


async def stations_info(
    catalogue: Catalogue, pull: PagedPull, platform: Inbound, ask: PageAsk
) -> dict[str, Any]:
    """A page of sites that changed since then, with everything at them. Raises Refusal.

    A site of which something is required and not known is left out of its page, and an error says what.
    """
    changed = await catalogue.changed(platform, _since(ask))
    size = min(ask.page_size or pull.page_size, pull.page_size_max)
    page = ask.page_no or 1
    infos = []
    for info in await catalogue.sites(platform, changed[(page - 1) * size : page * size]):
        try:
            infos.append(site_body(info, platform.profile))
        except BadRecord as exc:
            log.error("city_site_not_told", platform=platform.name, site=info.site.site, reason=str(exc))
    return {
        "PageNo": page,
        "PageCount": ceil(len(changed) / size),
        "ItemSize": len(changed),
        "StationInfos": infos,
    }


async def station_status(
    catalogue: Catalogue, live: LiveStates, pull: StatusPull, platform: Inbound, ask: StatusAsk, now: datetime
) -> dict[str, Any]:
    """How the connectors of some sites fare; names nobody knows are left out. Raises Refusal."""
    wanted = list(dict.fromkeys(ask.station_ids))
    if len(wanted) > pull.ids_max:
        raise bad_business(f"StationIDs: {len(wanted)} sites, at most {pull.ids_max} are answered at once")
    sites = await catalogue.named(platform, wanted)
    since = now - FRESH if LIVE_FIELDS & set(pull.fields) else None
    stations = await live.stations(_identities(sites), since)
    infos = [
        {
            "StationID": info.site.station_id,
            "ConnectorStatusInfos": [
                _status(pull, platform.profile, info, connector, stations, now)
                for connector in info.connectors
            ],
        }
        for info in sites
    ]
    total: int | str = str(len(infos)) if pull.total_as == "text" else len(infos)
    return {"Total": total, "StationStatusInfos": infos}


async def station_stats(
    catalogue: Catalogue, live: LiveStates, platform: Inbound, ask: StatsAsk, *, discharge: bool
) -> dict[str, Any]:
    """Energy of a site by equipment and connector, in whole hours. Raises Refusal.

    Discharge is zero: no station here gives energy back.
    """
    since, until = asks.span_of(ask)
    if until - since > LONGEST:
        raise bad_business(f"EndTime: more than {LONGEST.days} days after StartTime")
    found = await catalogue.named(platform, [ask.station_id])
    if not found:
        raise bad_business(f"StationID: there is no station {ask.station_id[:40]}")
    energy: Mapping[tuple[str, int, int], int] = {}
    if not discharge:
        hours = _hour(since), _hour(until + HOUR - _TICK)
        energy = await live.energy(platform.operator, _identities(found), *hours)
    return {"StationStats": _stats(platform.profile, found[0], energy) | _asked(ask)}


_TICK = timedelta(microseconds=1)


def _asked(ask: StatsAsk) -> dict[str, str]:
    return {"StartTime": ask.start_time, "EndTime": ask.end_time}


def _hour(at: datetime) -> datetime:
    return at.replace(minute=0, second=0, microsecond=0)


def _stats(profile: Profile, info: SiteInfo, energy: Mapping[tuple[str, int, int], int]) -> dict[str, Any]:
    """What the connectors gave out; the sums are of the exact values."""
    places = profile.decimals.total
    of = {one.connector_id: energy.get(_key(one), 0) for one in info.connectors}
    equipment = []
    for one in info.equipment:
        plugs = [plug for plug in info.connectors if plug.equipment_id == one.equipment_id]
        told = [
            {"ConnectorID": plug.connector_id, "ConnectorElectricity": kilo(of[plug.connector_id], places)}
            for plug in plugs
        ]
        whole = sum(of[plug.connector_id] for plug in plugs)
        equipment.append(
            {
                "EquipmentID": one.equipment_id,
                "EquipmentElectricity": kilo(whole, places),
                "ConnectorStatsInfos": told,
            }
        )
    return {
        "StationID": info.site.station_id,
        "StationElectricity": kilo(sum(of.values()), places),
        "EquipmentStatsInfos": equipment,
    }


def _key(connector: ConnectorRecord) -> tuple[str, int, int]:
    return connector.identity or "", connector.evse or 0, connector.connector or 0


def _identities(sites: Iterable[SiteInfo]) -> list[str]:
    return [one.identity for info in sites for one in info.connectors if one.identity]


def _status(
    pull: StatusPull,
    profile: Profile,
    info: SiteInfo,
    connector: ConnectorRecord,
    stations: Mapping[str, StationNow],
    now: datetime,
) -> dict[str, Any]:
    identity, evse, number = _key(connector)
    station = stations.get(identity)
    status, at, live, energy = ConnectorStatus.UNKNOWN, now, NOTHING, None
    if station is not None:
        status = station.status(evse, number)
        at = _since_when(station, evse, number) or now
        live, energy = _running(station, evse, number, now)
    record = ConnectorState(
        operator_id=info.site.operator,
        identity=identity,
        evse=evse,
        connector=number,
        status=status,
        at=at.astimezone(UTC),
        connector_id=connector.connector_id,
        site_code=info.site.site,
        live=live,
        energy_wh=energy,
        place=place_of(info, connector),
    )
    push = profile.pushes.connector_status
    return body_of(record, STATUS, profile, pull.fields, push.required if push else ())


def _since_when(station: StationNow, evse: int, connector: int) -> datetime | None:
    told = station.connectors.get((evse, connector))
    return told.since if station.is_online and told is not None else station.changed_at


def _running(station: StationNow, evse: int, connector: int, now: datetime) -> tuple[Live, int | None]:
    one = station.session_at(evse, connector)
    if one is None:
        return NOTHING, None
    return live_of(one.readings, now - FRESH), one.session.energy_wh


def place_of(info: SiteInfo, connector: ConnectorRecord) -> Place:
    """How the platform knows a connector and what it belongs to."""
    site = info.site
    return Place(
        station_id=site.station_id,
        station_name=site.name,
        owner_id=site.owner_id or "",
        equipment_id=connector.equipment_id,
        connector_id=connector.connector_id,
    )


def _since(ask: PageAsk) -> datetime | None:
    text = (ask.last_query_time or "").strip()
    return asks.moment_of(text, "LastQueryTime")[0] if text else None
