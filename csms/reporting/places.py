"""What a platform is told of: its sites, equipment and connectors, and how it knows them. Kept for a minute.

The lead-in for the inventory is here, as a protocol. What is not in the inventory goes by the names that are
made of our own, as long as the platform is told of everything.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

from csms.domain.inventory import SiteRecord
from csms.domain.price_days import PriceDays
from csms.reporting.tcec.profile import Profile
from csms.reporting.tcec.reportable import reported
from csms.reporting.tcec.stations import SiteInfo
from csms.reporting.tcec.wording import NOWHERE, Place

KEPT = timedelta(seconds=60)
SURE = timedelta(seconds=5)  # what is not told of is looked for once more, unless it was just now
AT_ONCE = 200  # sites per query


class SiteThere(Protocol):
    """A site, when anything of it changed last, and what stands there."""

    @property
    def record(self) -> SiteRecord: ...
    @property
    def changed_at(self) -> datetime | None: ...
    @property
    def equipment(self) -> tuple[Any, ...]: ...
    @property
    def prices(self) -> tuple[PriceDays, ...]: ...


class Inventory(Protocol):
    """What is asked of the inventory. Every method raises StoreUnavailable when the database is away."""

    async def changed_sites(self, operator: str, since: datetime | None = None) -> list[int]:
        """Numbers of an operator's sites."""

    async def sites(self, numbers: Sequence[int], now: datetime | None = None) -> Sequence[SiteThere]:
        """Those sites, without what has retired by `now`."""

    async def site(self, operator: str, code: str, now: datetime | None = None) -> SiteThere | None:
        """One site in the same way; None: there is none of this code."""


@dataclass(frozen=True, slots=True)
class KnownSite:
    """A site as the platform is told of it."""

    info: SiteInfo
    changed_at: datetime | None


@dataclass(slots=True)
class Known:
    """Everything a platform is told of, at one moment."""

    at: datetime
    sites: tuple[KnownSite, ...] = ()
    plugs: dict[tuple[str, int, int], Place] = field(default_factory=dict)
    stations: dict[str, Place] = field(default_factory=dict)
    site_codes: dict[str, str] = field(default_factory=dict)  # by identity
    hidden: set[str] = field(default_factory=set)  # identities the platform is not told of


class Places:
    """One platform's view of one operator's inventory."""

    def __init__(
        self,
        inventory: Inventory | None,
        operator: str,
        profile: Profile,
        only: Sequence[str],
        now: Callable[[], datetime],
    ) -> None:
        """`only`: codes of the sites that are told at all; empty for all. Without inventory all is told."""
        self._inventory, self._operator, self._profile = inventory, operator, profile
        self._only, self._now = tuple(only), now
        self._lock = asyncio.Lock()
        self._known: Known | None = None

    async def place(self, identity: str, evse: int, connector: int) -> Place | None:
        """How the platform knows a connector (or, with EVSE 0, a station); None: it is not told of it."""
        found = _found(await self.known(), identity, evse, connector, is_all=self._is_all)
        if found is None:
            found = _found(await self.known(SURE), identity, evse, connector, is_all=self._is_all)
        return found

    async def place_then(self, site: str, plug: tuple[str, int, int], at: datetime) -> Place | None:
        """The same for what happened at `site` at `at`, whatever has retired or moved away since."""
        identity, evse, connector = plug
        known = await self.known()
        if known.site_codes.get(identity) == site:
            return _found(known, identity, evse, connector, is_all=self._is_all)
        there = await self._inventory.site(self._operator, site, at) if self._inventory and site else None
        if there is None:
            return await self.place(identity, evse, connector)
        info = info_of(there)
        told = reported(info, self._profile.reportable, self._only)
        then = Known(at)
        if told is not None:
            _enter(then, told)
        then.hidden = _identities(info) - then.site_codes.keys()
        return _found(then, identity, evse, connector, is_all=told is not None)

    async def is_told(self, site: str) -> bool:
        """Whether the platform is told of a site at all."""
        if self._is_all:
            return True
        for kept in (KEPT, SURE):
            if any(one.info.site.site == site for one in (await self.known(kept)).sites):
                return True
        return False

    async def known(self, kept: timedelta = KEPT) -> Known:
        """Everything, at most so old. Raises StoreUnavailable."""
        async with self._lock:
            now = self._now()
            if self._known is None or now - self._known.at > kept:
                self._known = await self._look(now)
            return self._known

    @property
    def _is_all(self) -> bool:
        return self._profile.reportable.sites == "all" and not self._only

    async def _look(self, now: datetime) -> Known:
        known = Known(now)
        if self._inventory is None:
            return known
        numbers = await self._inventory.changed_sites(self._operator)
        sites = []
        for n in range(0, len(numbers), AT_ONCE):
            for there in await self._inventory.sites(numbers[n : n + AT_ONCE], now):
                info = info_of(there)
                told = reported(info, self._profile.reportable, self._only)
                known.hidden |= _identities(info)
                if told is not None:
                    known.hidden -= _identities(told)
                    sites.append(KnownSite(told, there.changed_at))
                    _enter(known, told)
        known.sites = tuple(sites)
        return known


def info_of(there: SiteThere) -> SiteInfo:
    """A site of the inventory as a record that is told."""
    return SiteInfo(
        there.record,
        tuple(one.record for one in there.equipment),
        tuple(plug for one in there.equipment for plug in one.connectors),
        there.prices,
    )


def _found(known: Known, identity: str, evse: int, connector: int, *, is_all: bool) -> Place | None:
    """`is_all`: what is not there is told all the same, by names that are made."""
    if identity in known.hidden:
        return None
    found = known.plugs.get((identity, evse, connector)) or known.stations.get(identity)
    return NOWHERE if found is None and is_all else found


def _identities(info: SiteInfo) -> set[str]:
    return {one.identity for one in info.equipment if one.identity}


def _enter(known: Known, info: SiteInfo) -> None:
    site = info.site
    of_equipment = {}
    for one in info.equipment:
        place = Place(site.station_id, site.name, site.owner_id or "", one.equipment_id)
        of_equipment[one.equipment_id] = place
        if one.identity:
            known.stations.setdefault(one.identity, place)
            known.site_codes[one.identity] = site.site
    for plug in info.connectors:
        place_of = of_equipment.get(plug.equipment_id)
        if place_of is None or plug.identity is None or plug.evse is None:
            continue
        known.plugs[plug.identity, plug.evse, plug.connector or 1] = Place(
            place_of.station_id,
            place_of.station_name,
            place_of.owner_id,
            place_of.equipment_id,
            plug.connector_id,
        )
