"""What a platform may know of: sites, equipment, connectors, the operator; and where a connector is in OCPP.

Everything here is what the profile's `reportable` lets through; the rest does not exist for the platform.
Knows the stores; no wire name.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import cast

from csms.domain.assets import ChargingStation, ConnectorStatus
from csms.domain.inventory import ConnectorKind, ConnectorRecord, OperatorRecord
from csms.reporting.places import info_of
from csms.reporting.tcec.reportable import reported
from csms.reporting.tcec.server.directory import Outlet
from csms.reporting.tcec.server.inbound import Inbound
from csms.reporting.tcec.stations import SiteInfo
from csms.reporting.tcec.wording import Place
from csms.store.assets import AssetStore, ConnectorNames
from csms.store.live_states import LiveStates, StationNow
from csms.store.site_names import SiteNames

AT_ONCE = 200  # sites per query


class Catalogue:
    """Every method raises StoreUnavailable when the database is away."""

    def __init__(
        self, assets: AssetStore, names: SiteNames, live: LiveStates, now: Callable[[], datetime]
    ) -> None:
        self._assets, self._names, self._live, self._now = assets, names, live, now

    async def operator(self, platform: Inbound) -> OperatorRecord | None:
        """The operator whose sites the platform supervises."""
        record = await self._assets.record(OperatorRecord, (platform.operator,))
        return cast("OperatorRecord | None", record)

    async def changed(self, platform: Inbound, since: datetime | None) -> list[int]:
        """Numbers of the sites of which anything changed since then, in a lasting order; None: of all."""
        numbers = await self._assets.changed_sites(platform.operator, since)
        if platform.tells_all:
            return numbers
        told: list[int] = []
        for n in range(0, len(numbers), AT_ONCE):
            told += [number for number, _ in await self._told(platform, numbers[n : n + AT_ONCE])]
        return told

    async def named(self, platform: Inbound, station_ids: Sequence[str]) -> list[SiteInfo]:
        """Everything of the sites of these names, in their order; names that mean nothing are left out."""
        return await self.sites(platform, await self._names.numbers(platform.operator, station_ids))

    async def sites(self, platform: Inbound, numbers: Sequence[int]) -> list[SiteInfo]:
        """Everything of these sites that has not retired, in that order."""
        return [info for _, info in await self._told(platform, numbers)]

    async def outlet(self, platform: Inbound, connector_id: str) -> Outlet | None:
        """The connector of that name; None where there is none, or the platform is not told of it."""
        names = await self._assets.named(platform.operator, connector_id)
        if names is None or names.identity is None or names.evse is None or names.connector is None:
            return None
        station = (await self._live.stations([names.identity])).get(names.identity)
        if station is None or not await self._is_there(platform, names, station):
            return None
        return _outlet(connector_id, station, names.evse, names.connector)

    async def place(
        self, platform: Inbound, station: ChargingStation, evse: int, connector: int
    ) -> Place | None:
        """What the platform calls a connector and what it belongs to; None: it is not told of it."""
        if not await self._tells(platform, station):
            return None
        names = await self._assets.names_of(station.identity, evse, connector)
        if names is None:
            return None
        return Place(names.station_id, "", "", names.equipment_id, names.connector_id)

    async def kind(self, platform: Inbound, connector_id: str) -> ConnectorKind | None:
        """Socket or plug, where somebody said which."""
        record = await self._assets.record(ConnectorRecord, (platform.operator, connector_id))
        return None if record is None else cast("ConnectorRecord", record).kind

    async def _tells(self, platform: Inbound, station: ChargingStation) -> bool:
        """Whether the platform is told of a charging station."""
        if station.operator_code != platform.operator:
            return False
        if platform.tells_all:
            return True
        found = await self._assets.site(platform.operator, station.site_code, self._now())
        if found is None:
            return False
        info = reported(info_of(found), platform.profile.reportable, platform.only)
        return info is not None and any(one.identity == station.identity for one in info.equipment)

    async def _is_there(self, platform: Inbound, names: ConnectorNames, station: StationNow) -> bool:
        """Whether there is such a connector: every name of the right form could be one's."""
        # Most common first: everything is told, and the station has spoken of the connector.
        if platform.tells_all and (names.evse, names.connector) in station.connectors:
            return True
        sites = await self.named(platform, [names.station_id])
        return any(plug.connector_id == names.connector_id for one in sites for plug in one.connectors)

    async def _told(self, platform: Inbound, numbers: Sequence[int]) -> list[tuple[int, SiteInfo]]:
        now, told = self._now(), []
        found = await self._assets.sites(numbers, now)
        for number, one in zip(numbers, found, strict=True):
            retired_at = one.record.retired_at
            info = reported(info_of(one), platform.profile.reportable, platform.only)
            if info is not None and not (retired_at is not None and retired_at <= now):
                told.append((number, info))
        return told


def _outlet(connector_id: str, station: StationNow, evse: int, connector: int) -> Outlet:
    told = station.connectors.get((evse, connector))
    status = told.status if told is not None else ConnectorStatus.UNKNOWN
    return Outlet(
        connector_id,
        station.station_id,
        station.identity,
        evse,
        connector,
        station.is_online,
        station.status(evse, connector) if station.is_online else status,
        told.since if told is not None else None,
    )
