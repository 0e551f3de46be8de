"""Answers about sites over HTTP: pages, changes, status, energy; in the dialects of three profiles."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from structlog.testing import capture_logs

from csms.domain.assets import ChargingStation, ConnectorStatus
from csms.domain.inventory import ChargerClass
from csms.domain.meter import Reading
from csms.domain.orders import start_charge_seq
from csms.store.database import Database
from csms.store.registry import Registry
from csms.store.tables import session_hours
from csms.store.times import micros
from csms.store.writer import Writer
from tests.reporting.tcec.server.kit import OURS
from tests.reporting.tcec.server.places import GCJ, charger, enter, operator, site
from tests.reporting.tcec.server.world import World, a_world, online
from tests.store.given import HOUR, MINUTE, T0, told_row, write_of

SHENZHEN = {"profile": "shenzhen", "base": "/shevcs/v1.0"}
ZHEJIANG = {"profile": "zhejiang", "base": "/evcs/v1"}


async def many_sites(database: Database, n: int) -> None:
    """Sites S01 ... each with a charger that is not connected."""
    for number in range(1, n + 1):
        code = f"S{number:02d}"
        records = [operator(), site(code), *charger(f"E{number:02d}", code)]
        await enter(database, [_unconnected(one) for one in records], T0 + number * HOUR)


def _unconnected(record: Any) -> Any:
    if hasattr(record, "identity"):
        names = {"identity": None} | ({"evse": None, "connector": None} if hasattr(record, "evse") else {})
        return replace(record, **names)
    return record


async def test_a_site_as_the_standard_tells_it(database: Database) -> None:
    """Codes, GCJ-02, equipment and connectors; the misspelt name as the standard has it."""
    await online(database)
    await enter(database, [operator(), site(), *charger("CS-0001", plugs=2)])
    async with a_world(database) as world:
        asked = {"LastQueryTime": "", "PageNo": 1, "PageSize": 10}
        told = await world.city.told("query_stations_info", asked)

    assert (told["PageNo"], told["PageCount"], told["ItemSize"]) == (1, 1, 1)
    (info,) = told["StationInfos"]
    assert (info["StationID"], info["StationType"], info["StationStatus"]) == ("S01", 1, 50)
    assert (info["Construction"], info["BusineHours"]) == (10, "00:00-24:00")
    assert abs(float(info["StationLat"]) - GCJ[0]) < 1e-4
    assert abs(float(info["StationLng"]) - GCJ[1]) < 1e-4
    (equipment,) = info["EquipmentInfos"]
    assert (equipment["EquipmentID"], equipment["EquipmentType"], equipment["Power"]) == (
        "CS-0001",
        1,
        Decimal("60.0"),
    )
    assert [one["ConnectorID"] for one in equipment["ConnectorInfos"]] == ["CS-00010101", "CS-00010201"]
    assert [one["NationalStandard"] for one in equipment["ConnectorInfos"]] == [2, 2]


async def test_pages(database: Database) -> None:
    """Each site once over all pages; sizes have a limit; beyond the last there is nothing."""
    await many_sites(database, 5)
    async with a_world(database) as world:
        pages = [
            await world.city.told("query_stations_info", {"PageNo": page, "PageSize": 2})
            for page in (1, 2, 3, 4)
        ]
        largest = await world.city.told("query_stations_info", {"PageSize": 1_000_000})
        usual = await world.city.told("query_stations_info", {})

    ids = [[info["StationID"] for info in page["StationInfos"]] for page in pages]
    assert ids == [["S01", "S02"], ["S03", "S04"], ["S05"], []]
    assert {(page["PageCount"], page["ItemSize"]) for page in pages} == {(3, 5)}
    assert len(largest["StationInfos"]) == len(usual["StationInfos"]) == 5


@pytest.mark.parametrize(
    ("since", "found"),
    [
        ("2026-01-05 18:00:00", ["S01", "S02", "S03"]),  # China time: T0
        ("2026-01-05 20:00:00", ["S02", "S03"]),
        ("2026-01-05 20:00:01", ["S03"]),
        ("2026-01-06", []),
    ],
)
async def test_what_changed_since(inline_database: Database, since: str, found: list[str]) -> None:
    """From that second on."""
    await many_sites(inline_database, 3)
    async with a_world(inline_database) as world:
        told = await world.city.told("query_stations_info", {"LastQueryTime": since})

    assert [info["StationID"] for info in told["StationInfos"]] == found


async def test_a_connector_that_changes_brings_its_site(database: Database) -> None:
    """The latest modification of site, equipment or connector counts."""
    await many_sites(database, 2)
    *_, plug = charger("E01", "S01", power_w=1)
    await enter(database, [_unconnected(plug)], T0 + 5 * HOUR)
    await enter(database, charger_of("E02", 120_000), T0 + 6 * HOUR)
    async with a_world(database) as world:
        asked = {"LastQueryTime": "2026-01-05 23:30:00"}
        told = await world.city.told("query_stations_info", asked)

    assert [info["StationID"] for info in told["StationInfos"]] == ["S02"]


def charger_of(name: str, power_w: int) -> list[Any]:
    """The charger E02 at S02 with another power."""
    return [_unconnected(charger(name, "S02", power_w=power_w)[0])]


@pytest.mark.parametrize("asked", [{"LastQueryTime": "today"}, {"PageNo": 0}, {"PageSize": -1}])
async def test_pages_that_are_none(inline_database: Database, asked: dict[str, Any]) -> None:
    """Ret 4004, naming the field."""
    async with a_world(inline_database) as world:
        answered = await world.city.ask("query_stations_info", asked)

    assert answered.ret == 4004
    assert next(iter(asked)) in answered.msg


async def test_a_site_that_cannot_be_told(inline_database: Database) -> None:
    """It is left out of its page, and an error says what is missing; the others are told."""
    await many_sites(inline_database, 2)
    await enter(inline_database, [site("S03", area_code=None)])
    with capture_logs() as logs:
        async with a_world(inline_database) as world:
            told = await world.city.told("query_stations_info", {})

    assert [info["StationID"] for info in told["StationInfos"]] == ["S01", "S02"]
    (line,) = [line for line in logs if line["event"] == "city_site_not_told"]
    assert line["site"] == "S03"
    assert "AreaCode" in line["reason"]


async def test_only_what_is_reportable(database: Database, tmp_path: Any) -> None:
    """Chargers of a class, by a profile of one's own; the rest does not exist for the platform."""
    profile = tmp_path / "mine.yaml"
    profile.write_text(
        "extends: tcec102-2016\nname: mine\nreportable: {sites: class, classes: [social-public]}\n"
    )
    first, second = await online(database, 2)
    public = charger(first.identity, charger_class=ChargerClass.SOCIAL_PUBLIC)
    private = charger(second.identity, charger_class=ChargerClass.PRIVATE)
    await enter(database, [operator(), site(), site("S02"), *public, *private])
    async with a_world(database, str(profile)) as world:
        for station in (first, second):
            await world.status(station, ConnectorStatus.PREPARING)
        told = await world.city.told("query_stations_info", {})
        status = await world.city.told("query_station_status", {"StationIDs": ["S01", "S02"]})
        auth = [
            await world.city.told(
                "query_equip_auth", {"EquipAuthSeq": "9" * 27, "ConnectorID": f"CS-000{n}0101"}
            )
            for n in (1, 2)
        ]

        for number, station in ((1, first), (2, second)):
            await world.begin(station, number=number)
        seqs = [start_charge_seq(OURS, n) for n in (1, 2)]
        asked = [{"StartChargeSeq": seq} for seq in seqs]
        rets = [(await world.city.ask("query_equip_charge_status", one)).ret for one in asked]

    assert rets == [0, 4004]
    (info,) = told["StationInfos"]
    assert [one["EquipmentID"] for one in info["EquipmentInfos"]] == ["CS-0001"]
    assert (told["ItemSize"], status["Total"]) == (1, 1)
    assert [one["FailReason"] for one in auth] == [0, 3]


async def test_status_of_sites(database: Database) -> None:
    """Every connector's status; a station that is away is 0; unknown sites are left out."""
    first, second = await online(database, 2)
    async with a_world(database) as world:
        await world.status(first, ConnectorStatus.CHARGING)
        await world.status(first, ConnectorStatus.FAULTED, evse=2)
        await world.status(second, ConnectorStatus.AVAILABLE)
        epoch = await Registry(database).raise_epoch(second.station_id, now=T0)
        await Registry(database).note_disconnected(second.station_id, epoch, T0)
        told = await world.city.told("query_station_status", {"StationIDs": ["S01", "NONE", "S01"]})

    assert told["Total"] == 1
    (info,) = told["StationStatusInfos"]
    assert info["StationID"] == "S01"
    assert {one["ConnectorID"]: one["Status"] for one in info["ConnectorStatusInfos"]} == {
        "CS-00010101": 3,
        "CS-00010201": 255,
        "CS-00020101": 0,
    }
    assert {one["ParkStatus"] for one in info["ConnectorStatusInfos"]} == {0, 50}


async def test_too_many_sites_at_once(inline_database: Database) -> None:
    """Fifty are answered, one more is refused."""
    async with a_world(inline_database) as world:
        fifty = [f"S{n}" for n in range(50)]
        answers = [
            await world.city.ask("query_station_status", {"StationIDs": ids})
            for ids in (fifty, [*fifty, "S"])
        ]

    assert [answered.ret for answered in answers] == [0, 4004]
    assert "51 sites, at most 50" in answers[1].msg


async def energy(database: Database, station: ChargingStation, hours: dict[int, int], evse: int = 1) -> None:
    """Wh of a connector by hours after T0."""
    for hour, wh in hours.items():
        values = {
            "session_id": 1000 * evse + hour,
            "hour": micros(T0 + hour * HOUR),
            "operator_id": station.operator_id,
            "site_id": station.site_id,
            "station_id": station.station_id,
            "evse": evse,
            "connector": 1,
            "energy_wh": wh,
            "charging_s": 0,
            "starts": 0,
        }
        await database.execute(session_hours.insert(), values)


@pytest.mark.parametrize(
    ("start", "end", "kwh"),
    [
        ("2026-01-05", "2026-01-05", "3.0"),  # T0 is 18:00 in China: six hours of the day
        ("2026-01-05", "2026-01-06", "1003.0"),
        ("2026-01-06", "2026-01-06", "1000.0"),
        ("2026-01-05 19:00:00", "2026-01-05 20:00:00", "2.0"),
        ("2026-01-05 18:30:00", "2026-01-05 18:40:00", "1.0"),  # whole hours
        ("2026-01-04", "2026-01-04", "0.0"),
    ],
)
async def test_energy_of_a_site(database: Database, start: str, end: str, kwh: str) -> None:
    """By equipment and connector, over dates (the last included) and date-times."""
    (station,) = await online(database)
    await energy(database, station, {0: 1_000, 1: 1_960, 6: 1_000_000})
    await energy(database, station, {1: 40}, evse=2)
    async with a_world(database) as world:
        for evse in (1, 2):
            await world.status(station, ConnectorStatus.AVAILABLE, evse)
        asked = {"StationID": "S01", "StartTime": start, "EndTime": end}
        stats = (await world.city.told("query_station_stats", asked))["StationStats"]

    assert {name: stats[name] for name in asked} == asked
    assert stats["StationElectricity"] == Decimal(kwh)
    (equipment,) = stats["EquipmentStatsInfos"]
    assert equipment["EquipmentElectricity"] == Decimal(kwh)
    assert [one["ConnectorID"] for one in equipment["ConnectorStatsInfos"]] == ["CS-00010101", "CS-00010201"]


@pytest.mark.parametrize(
    ("over", "said"),
    [
        ({"StationID": "NONE"}, "there is no station NONE"),
        ({"EndTime": "2026-01-04"}, "EndTime is not after StartTime"),
        ({"EndTime": "2029-01-04"}, "more than 400 days"),
        ({"StartTime": "5.1.2026"}, "StartTime: expected"),
    ],
)
async def test_statistics_that_cannot_be_made(
    inline_database: Database, over: dict[str, str], said: str
) -> None:
    """Ret 4004 says why."""
    await online(inline_database)
    async with a_world(inline_database) as world:
        asked = {"StationID": "S01", "StartTime": "2026-01-05", "EndTime": "2026-01-05"} | over
        answered = await world.city.ask("query_station_stats", asked)

    assert answered.ret == 4004
    assert said in answered.msg


async def test_shenzhen_wants_currents(database: Database) -> None:
    """Status with the latest readings of the running session, zero where nothing flows; its own spelling."""
    (station,) = await online(database)
    async with a_world(database, **SHENZHEN) as world:
        await world.status(station, ConnectorStatus.CHARGING)
        await world.status(station, ConnectorStatus.AVAILABLE, evse=2)
        await metered(world, station)
        told = await world.city.told("query_stations_status", {"StationIDs": ["S01"]})

    one, other = told["StationStatusInfos"][0]["ConnectorStatusInfos"]
    assert (one["CurrentA"], one["VoltageA"], one["SOC"]) == (
        Decimal("80.5"),
        Decimal("400.0"),
        Decimal("63.0"),
    )
    assert one["ChargeElectricity"] == Decimal("7.50")
    assert (other["CurrentA"], other["ChargeElectricity"], other["DischargeElectricity"]) == (0, 0, 0)


async def metered(world: World, station: ChargingStation) -> None:
    """A running session with direct current."""
    await world.begin(station, energy_wh=7_500)
    world.pass_(MINUTE)
    values = {"current.import": 80_500, "voltage": 400_000, "soc": 63_000}
    async with Writer(world.database, fence=False) as writer:
        for name, value in values.items():
            reading = Reading(world.at, name, value, context="sample.periodic")
            row = told_row(1, [reading], world.at)
            await writer.write(write_of(station, row))


async def test_shenzhen_counts_charge_and_discharge(database: Database) -> None:
    """9.6 and 9.7 under their own names; no station here gives energy back."""
    (station,) = await online(database)
    await energy(database, station, {0: 1_500})
    async with a_world(database, **SHENZHEN) as world:
        await world.status(station, ConnectorStatus.AVAILABLE)
        asked = {"StationID": "S01", "StartTime": "2026-01-05", "EndTime": "2026-01-05"}
        charge = (await world.city.told("query_station_charge_stats", asked))["StationStats"]
        discharge = (await world.city.told("query_station_discharge_stats", asked))["StationStats"]

    assert charge["StationChargeElectricity"] == Decimal("1.5")
    (equipment,) = charge["EquipmentChargeStatsInfos"]
    assert equipment["ConnectorChargeStatsInfos"] == [
        {"ConnectorID": "CS-00010101", "ConnectorChargeElectricity": Decimal("1.5")}
    ]
    assert discharge["StationDischargeElectricity"] == 0
    assert discharge["EquipmentDischargeStatsInfos"][0]["EquipmentDischargeElectricity"] == 0


async def test_zhejiang_supervises(database: Database) -> None:
    """Operator, sites and status under supervise_*; the operator is told by when it changed."""
    (station,) = await online(database)
    await enter(database, [operator(uscid="91110000802100433B"), site(), *charger("CS-0001")])
    async with a_world(database, **ZHEJIANG) as world:
        await world.status(station, ConnectorStatus.AVAILABLE)
        told = await world.city.told("supervise_query_operator_info", {})
        later = await world.city.told(
            "supervise_query_operator_info", {"LastQueryTime": "2026-01-05 18:00:01"}
        )
        infos = await world.city.told("supervise_query_stations_info", {"PageNo": "1", "PageSize": "5"})
        status = await world.city.told("supervise_query_station_status", {"StationIDs": ["S01"]})

    (info,) = told["OperatorInfos"]
    assert (info["OperatorID"], info["OperatorUSCID"]) == ("123456789", "91110000802100433B")
    assert (told["ItemSize"], later["ItemSize"], later["OperatorInfos"]) == (1, 0, [])
    assert infos["StationInfos"][0]["StationID"] == "S01"
    one = status["StationStatusInfos"][0]["ConnectorStatusInfos"][0]
    assert (one["EquipmentID"], one["StationID"], one["Status"]) == ("CS-0001", "S01", 1)
