"""Routes, an inventory one can set, and rows to feed producers with."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import msgspec

from csms.domain.inventory import ConnectorRecord, EquipmentRecord, SiteRecord
from csms.domain.price_days import PriceDays
from csms.reporting.places import Places
from csms.reporting.routes import Route
from csms.reporting.tcec.profile import Profile, load_profile
from tests.reporting.parts import OPERATOR, Clock
from tests.reporting.tcec import samples


@dataclass
class There:
    """An equipment or a site as the inventory gives it."""

    record: Any
    connectors: tuple[ConnectorRecord, ...] = ()
    changed_at: datetime | None = None
    equipment: tuple["There", ...] = ()
    prices: tuple[PriceDays, ...] = ()


@dataclass
class FakeInventory:
    """Sites by number."""

    there: dict[int, There] = field(default_factory=dict)
    asked: int = 0

    async def changed_sites(self, operator: str, since: datetime | None = None) -> list[int]:
        self.asked += 1
        return sorted(self.there)

    async def sites(self, numbers: Sequence[int], now: datetime | None = None) -> list[There]:
        return [self._at(self.there[number], now) for number in numbers]

    async def site(self, operator: str, code: str, now: datetime | None = None) -> There | None:
        found = [there for there in self.there.values() if there.record.site == code]
        return self._at(found[0], now) if found else None

    def _at(self, site: There, now: datetime | None) -> There:
        """Without what has retired."""
        kept = [one for one in site.equipment if not _is_gone(one.record.retired_at, now)]
        return replace(site, equipment=tuple(kept))


def _is_gone(retired_at: datetime | None, now: datetime | None) -> bool:
    return retired_at is not None and now is not None and retired_at <= now


def site_there(
    n: int, identities: Sequence[str], changed_at: datetime | None = None, **equipment: Any
) -> There:
    """Site S0n with a charging station for each identity, one connector each."""
    site = msgspec.convert(
        samples.SITE | {"site": f"S{n:02d}", "station_id": f"ST-{n}", "operator": OPERATOR}, SiteRecord
    )
    stood = []
    for identity in identities:
        names = {"operator": OPERATOR, "equipment_id": f"EQ-{identity}", "identity": identity}
        one = msgspec.convert(samples.EQUIPMENT | names | {"site": site.site} | equipment, EquipmentRecord)
        plug = samples.CONNECTOR | names | {"connector_id": f"C-{identity}", "connector": 1}
        stood.append(There(one, (msgspec.convert(plug, ConnectorRecord),)))
    return There(site, changed_at=changed_at, equipment=tuple(stood))


def route_of(
    profile: str | Profile, clock: Clock, inventory: FakeInventory | None = None, only: Sequence[str] = ()
) -> Route:
    """The platform `city`."""
    rules = load_profile(profile) if isinstance(profile, str) else profile
    return Route("city", OPERATOR, rules, Places(inventory, OPERATOR, rules, only, clock), clock)
