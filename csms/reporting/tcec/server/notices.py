"""Queries about trouble and the vehicle: alarms, events, battery data; and how often status is to be told.

Shenzhen's query_alarm_info, query_event_info, query_bms_info, query_frequency, query_disequipmentstatus_info.
Words are those of the pushes.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from csms.domain.assets import ConnectorStatus
from csms.domain.inventory import ConnectorKind, ConnectorRecord, EquipmentRecord
from csms.protocol.words import dashed
from csms.reporting.routes import frequency_of
from csms.reporting.tcec.alarms import ALARM, EVENT, Alarm, Event
from csms.reporting.tcec.live import Live, live_of
from csms.reporting.tcec.pulls import ListPull
from csms.reporting.tcec.server.asks import FrequencyAsk, ListAsk
from csms.reporting.tcec.server.catalogue import Catalogue
from csms.reporting.tcec.server.inbound import Inbound
from csms.reporting.tcec.server.refusals import bad_business
from csms.reporting.tcec.server.sites import FRESH, place_of
from csms.reporting.tcec.stations import SiteInfo
from csms.reporting.tcec.wording import Place, body_of, kilo
from csms.store.live_states import ConnectorNow, LiveStates
from csms.store.platforms import PlatformStore
from csms.store.recent_events import RecentEvents

EVENTS_OF = timedelta(days=1)
SHORTEST_S = 10  # a status of everything more often than this is no use to anybody
ACCEPTED, IGNORED = 0, 1


@dataclass(frozen=True, slots=True)
class Notices:
    """Every method raises StoreUnavailable when the database is away, and Refusal for what it cannot use."""

    catalogue: Catalogue
    live: LiveStates
    events: RecentEvents
    platforms: PlatformStore
    now: Callable[[], datetime]

    async def alarm_info(self, pull: ListPull, platform: Inbound, ask: ListAsk) -> dict[str, Any]:
        """Faults that stand at this moment at a site or one equipment of it."""
        info = await self._site(platform, ask)
        stations = await self.live.stations(_identities(info))
        push = platform.profile.pushes.alarm
        if push is None:
            return {"AlarmInfos": []}
        alarms = []
        for plug in _plugs(info, ask):
            station = stations.get(plug.identity or "")
            told = station.connectors.get((plug.evse or 0, plug.connector or 0)) if station else None
            word = _fault(told) if told is not None else ""
            if told is None or not word:
                continue
            record = Alarm(
                platform.operator,
                info.site.site,
                plug.identity or "",
                plug.evse or 0,
                plug.connector or 0,
                word,
                True,
                told.since.astimezone(UTC),
                told.info,
                place_of(info, plug),
            )
            alarms.append(body_of(record, ALARM, platform.profile, push.fields, push.required))
        return {"AlarmInfos": alarms[: pull.most]}

    async def event_info(self, pull: ListPull, platform: Inbound, ask: ListAsk) -> dict[str, Any]:
        """Events of the last day that have a code in the profile, newest first."""
        info = await self._site(platform, ask)
        push, profile = platform.profile.pushes.event, platform.profile
        if push is None:
            return {"EventInfos": []}
        places = {one.identity: _place(info, one) for one in _equipment(info, ask) if one.identity}
        found = await self.events.of(places, self.now() - EVENTS_OF, pull.most)
        told = [(dashed(one.type), one) for one in found]
        records = [
            Event(
                platform.operator,
                info.site.site,
                one.identity,
                word,
                one.at.astimezone(UTC),
                one.info,
                places[one.identity],
            )
            for word, one in told
            if word in profile.events
        ]
        return {"EventInfos": [body_of(one, EVENT, profile, push.fields, push.required) for one in records]}

    async def bms_info(self, _: ListPull, platform: Inbound, ask: ListAsk) -> dict[str, Any]:
        """What a charge tells of the battery: state of charge and, of direct current, voltage and current.

        OCPP carries nothing else of it; what is not known is left out.
        """
        if not ask.connector_id:
            raise bad_business("ConnectorID is missing")
        outlet = await self.catalogue.outlet(platform, ask.connector_id)
        if outlet is None:
            raise bad_business(f"ConnectorID: there is no connector {ask.connector_id[:40]}")
        since = self.now() - FRESH
        station = (await self.live.stations([outlet.identity], since)).get(outlet.identity)
        one = station.session_at(outlet.evse, outlet.connector) if station is not None else None
        is_direct = await self.catalogue.kind(platform, ask.connector_id) is ConnectorKind.DC_PLUG
        told = {} if one is None else _battery(live_of(one.readings, since), platform, is_direct)
        return {"BmsInfos": [told] if told else []}

    async def frequency(self, platform: Inbound, ask: FrequencyAsk) -> dict[str, Any]:
        """How often every status is to be told from now on."""
        push = platform.profile.pushes.connector_status
        if push is None or push.repeat is None or ask.para_frequency < SHORTEST_S:
            return {"Status": IGNORED}
        name, now = frequency_of(platform.name), self.now()
        old = await self.platforms.position(name)
        if old != ask.para_frequency:
            await self.platforms.advance(name, old, ask.para_frequency, (), now)
        return {"Status": ACCEPTED}

    async def distribution_status(self, platform: Inbound, ask: ListAsk) -> dict[str, Any]:
        """Of a site's distribution cabinets: their meters do not speak OCPP, so there is none to tell of."""
        await self._site(platform, ask)
        return {"DisequipmentStatusInfos": []}

    async def _site(self, platform: Inbound, ask: ListAsk) -> SiteInfo:
        if not ask.station_id:
            raise bad_business("StationID is missing")
        found = await self.catalogue.named(platform, [ask.station_id])
        if not found:
            raise bad_business(f"StationID: there is no station {ask.station_id[:40]}")
        return found[0]


def _fault(told: ConnectorNow) -> str:
    """Our word for a fault, '' where there is none."""
    if told.error_code:
        return dashed(told.error_code)
    return "faulted" if told.status is ConnectorStatus.FAULTED else ""


def _identities(info: SiteInfo) -> list[str]:
    return [one.identity for one in info.equipment if one.identity]


def _equipment(info: SiteInfo, ask: ListAsk) -> Iterator[EquipmentRecord]:
    return (one for one in info.equipment if ask.equipment_id in (None, "", one.equipment_id))


def _plugs(info: SiteInfo, ask: ListAsk) -> Iterator[ConnectorRecord]:
    names = {one.equipment_id for one in _equipment(info, ask)}
    wanted = (None, "")
    return (
        plug
        for plug in info.connectors
        if plug.equipment_id in names
        and (ask.connector_id in wanted or plug.connector_id == ask.connector_id)
    )


def _place(info: SiteInfo, equipment: EquipmentRecord) -> Place:
    site = info.site
    return Place(site.station_id, site.name, site.owner_id or "", equipment.equipment_id)


def _battery(live: Live, platform: Inbound, is_direct: bool) -> dict[str, Any]:
    """Of alternating current, voltage and current say nothing of the battery."""
    places = platform.profile.decimals
    values = {
        "TotalVoltage": (live.voltage_a if is_direct else None, places.voltage),
        "TotalCurrent": (live.current_a if is_direct else None, places.current),
        "Soc": (live.soc, places.soc),
    }
    return {name: kilo(value, digits) for name, (value, digits) in values.items() if value is not None}
