"""Sites described as completely as the standard wants them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from csms.domain.inventory import (
    AssetRecord,
    AssetStatus,
    ConnectorKind,
    ConnectorRecord,
    EquipmentKind,
    EquipmentRecord,
    NationalStandard,
    OperatorRecord,
    Place,
    SiteKind,
    SiteRecord,
)
from csms.store.assets import AssetStore
from csms.store.database import Database
from tests.store.given import OPERATOR, T0

WGS = (39.9042, 116.4074)
GCJ = (39.905603, 116.413642)  # the same place on Chinese maps


def operator(**more: Any) -> OperatorRecord:
    """The operator of every test."""
    return OperatorRecord(OPERATOR, "Operator", tel="010-65550000", **more)


def site(code: str = "S01", **more: Any) -> SiteRecord:
    """A public site in Beijing."""
    fields: dict[str, Any] = {
        "country_code": "CN",
        "area_code": "110105",
        "address": "1 Road",
        "service_tel": "95598",
        "kind": SiteKind.PUBLIC,
        "status": AssetStatus.IN_USE,
        "place": Place.ROADSIDE,
        "latitude": WGS[0],
        "longitude": WGS[1],
        "parking_spaces": 4,
        "opening_hours": "00:00-24:00",
    }
    return SiteRecord(OPERATOR, code, code, f"Site {code}", **(fields | more))


def charger(identity: str, where: str = "S01", plugs: int = 1, **more: Any) -> list[AssetRecord]:
    """A DC charger and its plugs, which are EVSEs of a charging station."""
    fields = {"kind": EquipmentKind.DC, "power_w": 60_000} | more
    records: list[AssetRecord] = [EquipmentRecord(OPERATOR, where, identity, identity, **fields)]
    for evse in range(1, plugs + 1):
        records.append(
            ConnectorRecord(
                OPERATOR,
                identity,
                f"{identity}{evse:02d}01",
                identity,
                evse,
                1,
                kind=ConnectorKind.DC_PLUG,
                voltage_upper_v=750,
                voltage_lower_v=200,
                current_a=125,
                power_w=60_000,
                national_standard=NationalStandard.GB_2015,
            )
        )
    return records


async def enter(database: Database, records: Sequence[AssetRecord], at: datetime = T0) -> None:
    """Put them into the inventory."""
    result = await AssetStore(database).put(records, at)
    assert result.problems == []
