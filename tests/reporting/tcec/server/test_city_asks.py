"""The simulated city asks everything its profile has, and finds nothing wrong with any answer."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from csms.domain.assets import ChargingStation, ConnectorStatus
from csms.domain.inventory import (
    AssetRecord,
    AssetStatus,
    AuxiliaryPower,
    ConnectorRecord,
    EquipmentRecord,
    NationalStandard,
    Operation,
)
from csms.domain.tariff import TimeFee
from csms.store.database import Database
from csms.store.tariffs import PlaceForm, TariffStore, VersionForm
from simulators.city_queries import Answered, OperatorSystem
from tests.domain.prices import BEIJING
from tests.reporting.tcec.server.kit import CITY, OURS, SECRETS
from tests.reporting.tcec.server.places import charger, enter, operator, site
from tests.reporting.tcec.server.world import World, a_world, online
from tests.store.given import T0

BASES = {"beijing": "/evcs/20160701", "shenzhen": "/shevcs/v1.0", "xiaoju": "/evcs/sdk"}
PROFILES = ["tcec102-2016", "beijing", "xiaoju", "zhejiang", "shenzhen"]
PRICED = replace(BEIJING, idle_fee=TimeFee(Decimal("0.5"), 15, Decimal(50)))
DAYS = {"StationID": "S01", "StartTime": "2026-01-04", "EndTime": "2026-01-05"}


def complete(record: AssetRecord) -> AssetRecord:
    """With what Shenzhen asks in addition."""
    if isinstance(record, EquipmentRecord):
        standard = NationalStandard.GB_2015
        return replace(
            record, manufacturer_id="987654321", status=AssetStatus.IN_USE, national_standard=standard
        )
    if isinstance(record, ConnectorRecord):
        return replace(record, voltage_v=750, auxiliary_power=AuxiliaryPower.BOTH)
    return record


@asynccontextmanager
async def asking(
    database: Database, profile: str
) -> AsyncIterator[tuple[World, OperatorSystem, list[ChargingStation]]]:
    """A site of two chargers with two plugs each, cars at the first ones, and the city that asks."""
    stations = await online(database, 2)
    where = site(pictures=("https://x.example/1.jpg",), operation=Operation.OWN)
    machines = [complete(one) for station in stations for one in charger(station.identity, plugs=2)]
    await enter(database, [operator(uscid="91110105MA0000007L"), where, *machines])
    async with a_world(database, profile, BASES.get(profile, "/evcs/v1")) as world:
        for station in stations:
            await world.status(station, ConnectorStatus.PREPARING)
        world.pass_(timedelta(seconds=1))
        url = str(world.city.http.base_url)
        async with OperatorSystem(
            url, OURS, SECRETS, profile=profile, city_id=CITY, now=lambda: world.at, seed=1
        ) as asks:
            yield world, asks, stations


def well(told: Answered, **fields: Any) -> None:
    """Accepted, right to the last field, with these values."""
    assert (told.ret, told.violations) == (0, []), (told.interface, told.msg)
    assert told.body is not None
    assert told.body.items() >= fields.items()


@pytest.mark.parametrize("profile", PROFILES)
async def test_what_a_city_wants_to_know(inline_database: Database, profile: str) -> None:
    """Stations by pages and by date, states, energies, alarms: every query without an order."""
    async with asking(inline_database, profile) as (_, asks, stations):
        first = stations[0].identity
        tariffs = TariffStore(inline_database)
        await tariffs.add(OURS, "BJ", "Beijing", VersionForm(PRICED, T0), T0)
        await tariffs.assign("BJ", OURS, PlaceForm(site="S01"), T0, T0)
        bodies: dict[str, dict[str, Any]] = {
            "query_station_stats": DAYS,
            "query_station_charge_stats": DAYS,
            "query_station_discharge_stats": DAYS,
            "supervise_query_operator_info": {"PageNo": 1, "PageSize": 10},
            "query_alarm_info": {"StationID": "S01", "OperatorID": OURS, "EquipmentID": first},
            "query_event_info": {"StationID": "S01", "OperatorID": OURS},
            "query_frequency": {"ParaFrequency": 60},
            "query_disequipmentstatus_info": {"StationID": "S01"},
            "query_bms_info": {"ConnectorID": f"{first}0101"},
        }
        well(await asks.token())
        for since, count in ((None, 1), ("2030-01-01 00:00:00", 0)):
            pages = [page async for page in asks.stations(since, page_size=1)]
            assert len(pages) == 1
            well(pages[0], ItemSize=count)
            for info in pages[0].body["StationInfos"]:
                assert ("PolicyInfos" in info, "IdleFeeInfos" in info) == (profile == "zhejiang",) * 2
        (states,) = await asks.station_status(["S01", "NOPE"])
        well(states, Total=1)
        for name in bodies.keys() & asks.profile.queries.keys():
            well(await asks.ask(name, bodies[name]))


@pytest.mark.parametrize("profile", PROFILES[:3])
async def test_a_city_starts_and_stops(inline_database: Database, profile: str) -> None:
    """Authorisation, prices, a start, its state before and after it began, its stop; and what cannot be."""
    async with asking(inline_database, profile) as (world, asks, stations):
        plug = f"{stations[1].identity}0101"
        well(await asks.equip_auth(plug), SuccStat=0)
        well(await asks.business_policy(plug), SuccStat=1, FailReason=1)
        started = await asks.start_charge(plug)
        well(started, StartChargeSeqStat=1, SuccStat=0)
        seq = started.asked["StartChargeSeq"]
        well(await asks.charge_status(seq), StartChargeSeqStat=1)
        (start,) = world.courier.starts()
        await world.begin(stations[1], token=start.id_token)
        world.pass_(timedelta(seconds=130))
        await world.look()
        well(await asks.charge_status(seq), StartChargeSeqStat=2)
        well(await asks.stop_charge(seq, plug), SuccStat=0)

        well(await asks.equip_auth("NOPE"), SuccStat=1)
        well(await asks.business_policy("NOPE"), SuccStat=1)
        well(await asks.start_charge("NOPE"), SuccStat=1, FailReason=1)
        well(await asks.stop_charge(asks.serial(), plug), SuccStat=1)
        assert (await asks.charge_status(asks.serial())).ret == 4004
        assert (await asks.station_stats("NOPE", "2026-01-04", "2026-01-05")).ret == 4004
        states = asks.profile.queries["query_station_status"]
        many = {"StationIDs": [f"S{n}" for n in range(51)]}
        assert (await asks.ask_anything(states, many)).ret == 4004
