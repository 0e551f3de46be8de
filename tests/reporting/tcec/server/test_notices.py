"""Shenzhen's queries about alarms, events, battery data and the frequency of status, over HTTP."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from csms.domain.assets import ChargingStation, ConnectorStatus
from csms.reporting.routes import frequency_of
from csms.store.database import Database
from csms.store.platforms import PlatformStore
from csms.store.records import StationEventRow
from csms.store.writer import Writer
from tests.reporting.tcec.server.places import charger, enter, operator, site
from tests.reporting.tcec.server.test_sites import SHENZHEN, metered
from tests.reporting.tcec.server.world import World, a_world, online
from tests.store.given import HOUR, write_of


async def test_alarms_that_stand(database: Database) -> None:
    """Faults at this moment with code, type and level; of a site, or of one equipment of it."""
    first, second = await online(database, 2)
    async with a_world(database, **SHENZHEN) as world:
        await world.status(first, ConnectorStatus.FAULTED, error_code="GroundFailure", info="wet")
        await world.status(first, ConnectorStatus.AVAILABLE, evse=2)
        await world.status(second, ConnectorStatus.FAULTED)
        told = await world.city.told("query_alarm_info", {"StationID": "S01"})
        one = await world.city.told("query_alarm_info", {"StationID": "S01", "EquipmentID": "CS-0002"})

    alarms = told["AlarmInfos"]
    assert [(a["ConnectorID"], a["AlarmCode"], a["AlarmLevel"]) for a in alarms] == [
        ("CS-00010101", 4, 1),
        ("CS-00020101", 31, 3),
    ]
    assert (alarms[0]["AlarmStatus"], alarms[0]["AlarmTime"]) == (1, "2026-01-05 18:00:00")
    assert (alarms[0]["NoteString"], alarms[0]["StationName"]) == ("wet", "Site")
    assert [a["EquipmentID"] for a in one["AlarmInfos"]] == ["CS-0002"]


async def event(world: World, station: ChargingStation, kind: str, info: str = "") -> None:
    """A security event as the station tells it."""
    details = {"type": kind, "info": info}
    async with Writer(world.database, fence=False) as writer:
        row = StationEventRow.of(station.station_id, "security", world.at, world.at, details)
        await writer.write(write_of(station, row))


async def test_events_of_the_last_day(database: Database) -> None:
    """Those with a code in the profile, newest first; older ones and others are not told."""
    (station,) = await online(database)
    async with a_world(database, **SHENZHEN) as world:
        await event(world, station, "StartupOfTheDevice", "long ago")
        world.pass_(25 * HOUR)
        world.city.token = world.server.platforms["city"].mint.make(world.at)
        await event(world, station, "FirmwareUpdated", "1.2.3")
        await event(world, station, "SomethingElse")
        await event(world, station, "ResetOrReboot")
        told = await world.city.told("query_event_info", {"StationID": "S01"})

    assert [(one["EventCode"], one["EventType"]) for one in told["EventInfos"]] == [(5002, 5), (4001, 4)]
    assert told["EventInfos"][1]["NoteString"] == "1.2.3"


@pytest.mark.parametrize("query", ["query_alarm_info", "query_event_info"])
async def test_trouble_of_no_site(inline_database: Database, query: str) -> None:
    """Ret 4004 says which name is missing or unknown."""
    async with a_world(inline_database, **SHENZHEN) as world:
        nothing = await world.city.ask(query, {})
        unknown = await world.city.ask(query, {"StationID": "NONE"})

    assert (nothing.ret, nothing.msg) == (4004, "StationID is missing")
    assert (unknown.ret, unknown.msg) == (4004, "StationID: there is no station NONE")


async def test_what_is_known_of_a_battery(database: Database) -> None:
    """State of charge, and voltage and current of a DC plug; nothing is made up; nothing without a charge."""
    (station,) = await online(database)
    await enter(database, [operator(), site(), *charger("CS-0001")])
    async with a_world(database, **SHENZHEN) as world:
        await world.status(station, ConnectorStatus.CHARGING)
        asked = {"ConnectorID": "CS-00010101"}
        idle = await world.city.told("query_bms_info", asked)
        await metered(world, station)
        told = await world.city.told("query_bms_info", asked)
        unknown = await world.city.ask("query_bms_info", {"ConnectorID": "CS-99990101"})
        missing = await world.city.ask("query_bms_info", {})

    values = {"TatalVoltage": Decimal("400.0"), "TotalCurrent": Decimal("80.5"), "Soc": Decimal("63.0")}
    assert (idle, told) == ({"BmsInfos": []}, {"BmsInfos": [values]})
    assert (unknown.ret, missing.ret) == (4004, 4004)


async def test_alternating_current_says_nothing_of_a_battery(inline_database: Database) -> None:
    """A plug of which nobody said that it is DC tells the state of charge alone."""
    (station,) = await online(inline_database)
    async with a_world(inline_database, **SHENZHEN) as world:
        await world.status(station, ConnectorStatus.CHARGING)
        await metered(world, station)
        told = await world.city.told("query_bms_info", {"ConnectorID": "CS-00010101"})

    assert told == {"BmsInfos": [{"Soc": Decimal("63.0")}]}


async def test_the_city_says_how_often(database: Database) -> None:
    """Kept for all nodes, the latest counts; what is no use is ignored, what is no number refused."""
    platforms = PlatformStore(database)
    async with a_world(database, **SHENZHEN) as world:
        answers: list[Any] = [
            (await world.city.told("query_frequency", {"ParaFrequency": seconds}))["Status"]
            for seconds in (300, 300, "60", 9)
        ]
        refused = await world.city.ask("query_frequency", {"ParaFrequency": "often"})

    assert answers == [0, 0, 0, 1]
    assert refused.ret == 4004
    assert await platforms.position(frequency_of("city")) == 60
