"""query_equip_auth, query_equip_business_policy, query_equip_charge_status over HTTP."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from csms.domain.assets import ConnectorStatus
from csms.domain.commands import Outcome, Result
from csms.domain.inventory import ConnectorRecord
from csms.domain.orders import start_charge_seq
from csms.store.database import Database
from csms.store.registry import OperatorForm, Registry, SiteForm, StationForm
from csms.store.tariffs import PlaceForm, TariffStore, VersionForm
from tests.domain.prices import BEIJING
from tests.reporting.tcec.server.kit import OURS
from tests.reporting.tcec.server.places import charger, enter, operator, site
from tests.reporting.tcec.server.test_sites import metered
from tests.reporting.tcec.server.test_starting import ASKED, SEQ
from tests.reporting.tcec.server.test_stopping import charging
from tests.reporting.tcec.server.world import a_world, online
from tests.store.given import HOUR, MINUTE, OPERATOR, T0

NAME = "9" * 27


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (ConnectorStatus.PREPARING, 0),
        (ConnectorStatus.OCCUPIED, 0),
        (ConnectorStatus.SUSPENDED_EV, 0),
        (ConnectorStatus.FINISHING, 0),
        (ConnectorStatus.AVAILABLE, 1),
        (ConnectorStatus.RESERVED, 1),
        (ConnectorStatus.FAULTED, 2),
        (ConnectorStatus.UNAVAILABLE, 2),
        (ConnectorStatus.CHARGING, 99),
    ],
)
async def test_whether_a_charge_could_begin(
    inline_database: Database, status: ConnectorStatus, reason: int
) -> None:
    """Plugged in, sound, free; FailReason says what is not."""
    (station,) = await online(inline_database)
    async with a_world(inline_database) as world:
        await world.status(station, status)
        told = await world.city.told("query_equip_auth", {"EquipAuthSeq": NAME, "ConnectorID": "CS-00010101"})

    assert told == {
        "EquipAuthSeq": NAME,
        "ConnectorID": "CS-00010101",
        "SuccStat": int(reason != 0),
        "FailReason": reason,
    }


async def test_a_charge_in_2x_makes_a_connector_busy(database: Database) -> None:
    """`occupied` with a running session is no free connector."""
    (station,) = await online(database)
    async with a_world(database) as world:
        await world.status(station, ConnectorStatus.OCCUPIED)
        await world.begin(station)
        asked = {"EquipAuthSeq": NAME, "ConnectorID": "CS-00010101"}

        assert (await world.city.told("query_equip_auth", asked))["FailReason"] == 99


async def test_who_is_not_there(database: Database) -> None:
    """Away: 4; unknown, and another operator's: 3."""
    (station,) = await online(database)
    registry = Registry(database)
    await registry.put_operator(OperatorForm("555555555", "Other", "Asia/Shanghai"))
    await registry.put_site(SiteForm("S09", "555555555", "Theirs", 39.9, 116.4))
    await registry.put_station(StationForm("CS-0009", "S09"), T0)
    other = await registry.station("CS-0009")
    assert other is not None
    epoch = await registry.raise_epoch(station.station_id, now=T0)
    await registry.note_disconnected(station.station_id, epoch, T0)
    async with a_world(database) as world:
        await world.status(station, ConnectorStatus.PREPARING)
        await world.status(other, ConnectorStatus.PREPARING)
        reasons = [
            (await world.city.told("query_equip_auth", {"EquipAuthSeq": NAME, "ConnectorID": name}))[
                "FailReason"
            ]
            for name in ("CS-00010101", "CS-00090101", "CS-77770101", "nonsense")
        ]

    assert reasons == [4, 3, 3, 3]


async def test_prices_of_the_day(database: Database) -> None:
    """Periods of the connector's tariff on the day in China, four decimals, in the 2016 spelling."""
    (station,) = await online(database)
    tariffs = TariffStore(database)
    await tariffs.add(OPERATOR, "BJ", "Beijing", VersionForm(BEIJING, T0 - 24 * HOUR), T0)
    await tariffs.assign("BJ", OPERATOR, PlaceForm(site="S01"), T0 - HOUR, T0)
    async with a_world(database) as world:
        await world.status(station, ConnectorStatus.AVAILABLE)
        asked = {"EquipBizSeq": NAME, "ConnectorID": "CS-00010101"}
        told = await world.city.told("query_equip_business_policy", asked)

    assert (told["SuccStat"], told["FailReason"], told["SumPeriod"]) == (0, 0, 7)
    assert told["PolicyInfos"][:2] == [
        {"StartTime": "000000", "ElecPrice": Decimal("0.4139"), "SevicePrice": Decimal("0.6000")},
        {"StartTime": "070000", "ElecPrice": Decimal("0.8173"), "SevicePrice": Decimal("0.8000")},
    ]


@pytest.mark.parametrize(("connector", "reason"), [("CS-00010101", 1), ("CS-77770101", 2)])
async def test_no_prices(inline_database: Database, connector: str, reason: int) -> None:
    """No tariff is assigned, or there is no such connector."""
    (station,) = await online(inline_database)
    async with a_world(inline_database) as world:
        await world.status(station, ConnectorStatus.AVAILABLE)
        asked = {"EquipBizSeq": NAME, "ConnectorID": connector}
        told = await world.city.told("query_equip_business_policy", asked)

    assert told == asked | {"SuccStat": 1, "FailReason": reason, "SumPeriod": 0, "PolicyInfos": []}


async def test_how_a_charge_goes(database: Database) -> None:
    """Readings, energy, money so far and its details; by our name where a card began it."""
    (station,) = await online(database)
    tariffs = TariffStore(database)
    await tariffs.add(OPERATOR, "BJ", "Beijing", VersionForm(BEIJING, T0 - 24 * HOUR), T0)
    await tariffs.assign("BJ", OPERATOR, PlaceForm(site="S01"), T0 - HOUR, T0)
    seq = start_charge_seq(OURS, 1)
    async with a_world(database) as world:
        await world.status(station, ConnectorStatus.CHARGING)
        await metered(world, station)
        told = await world.city.told("query_equip_charge_status", {"StartChargeSeq": seq})
        await world.end(1)
        over = await world.city.told("query_equip_charge_status", {"StartChargeSeq": seq})

    assert (told["StartChargeSeqStat"], told["ConnectorStatus"], told["ConnectorID"]) == (2, 3, "CS-00010101")
    assert [float(told[name]) for name in ("CurrentA", "VoltageA", "Soc", "TotalPower")] == [
        80.5,
        400,
        63,
        7.5,
    ]
    # T0 is 18:00 in China: peak, 1.1907 + 0.8000.
    money = {name: told[name] for name in ("ElecMoney", "SeviceMoney", "TotalMoney")}
    assert money == {
        "ElecMoney": Decimal("8.93"),
        "SeviceMoney": Decimal("6.00"),
        "TotalMoney": Decimal("14.93"),
    }
    assert told["SumPeriod"] == len(told["ChargeDetails"]) == 1
    assert told["ChargeDetails"][0]["DetailSeviceMoney"] == Decimal("6.00")
    assert (told["StartTime"], told["EndTime"]) == ("2026-01-05 18:00:00", "2026-01-05 18:01:00")
    assert over["StartChargeSeqStat"] == 4


async def test_the_states_of_a_charge(database: Database) -> None:
    """Starting, charging, stopping, finished; by the platform's own name."""
    (station,) = await online(database)
    asked = {"StartChargeSeq": SEQ}
    states = []
    async with a_world(database) as world:

        async def look() -> None:
            told = await world.city.told("query_equip_charge_status", asked)
            assert (told["StartChargeSeq"], told["ConnectorID"]) == (SEQ, "CS-00010101")
            states.append(told["StartChargeSeqStat"])

        await world.status(station, ConnectorStatus.PREPARING)
        await world.city.told("query_start_charge", ASKED)
        await look()
        (start,) = world.courier.starts()
        await world.begin(station, token=start.id_token)
        await world.look()
        await look()
        await world.city.told("query_stop_charge", ASKED)
        await look()
        await world.end(1)
        await look()

    assert states == [1, 2, 3, 4]


async def test_a_charge_that_did_not_begin(inline_database: Database) -> None:
    """It has ended, as far as the 2016 codes can say."""
    (station,) = await online(inline_database)
    async with a_world(inline_database) as world:
        await world.status(station, ConnectorStatus.PREPARING)
        world.courier.outcome = Outcome(Result.REJECTED)
        await world.city.told("query_start_charge", ASKED)
        told = await world.city.told("query_equip_charge_status", {"StartChargeSeq": SEQ})

    assert told["StartChargeSeqStat"] in (4, 5)
    assert told["TotalPower"] == 0


@pytest.mark.parametrize("seq", ["x" * 27, start_charge_seq(OURS, 77), "1" * 27])
async def test_a_charge_that_nobody_knows(inline_database: Database, seq: str) -> None:
    """Ret 4004."""
    async with a_world(inline_database) as world:
        answered = await world.city.ask("query_equip_charge_status", {"StartChargeSeq": seq})

    assert (answered.ret, answered.msg) == (4004, "StartChargeSeq: there is no such charge")


async def test_a_charge_of_another_operator(database: Database) -> None:
    """It does not exist for this platform."""
    await online(database)
    registry = Registry(database)
    await registry.put_operator(OperatorForm("555555555", "Other", "Asia/Shanghai"))
    await registry.put_site(SiteForm("S09", "555555555", "Theirs", 39.9, 116.4))
    await registry.put_station(StationForm("CS-0009", "S09"), T0)
    other = await registry.station("CS-0009")
    assert other is not None
    async with a_world(database) as world:
        await world.begin(other, number=9)
        for seq in (start_charge_seq(OURS, 9), start_charge_seq("555555555", 9)):
            answered = await world.city.ask("query_equip_charge_status", {"StartChargeSeq": seq})
            assert answered.ret == 4004


async def test_a_charge_from_before_the_station_came(database: Database) -> None:
    """It was another operator's: by its number alone it is not told."""
    (station,) = await online(database)
    async with a_world(database) as world:
        await world.begin(station, operator_id=None)
        answered = await world.city.ask(
            "query_equip_charge_status", {"StartChargeSeq": start_charge_seq(OURS, 1)}
        )

    assert answered.ret == 4004


async def test_stopping_reads_as_stopping_only_until_it_failed(database: Database) -> None:
    """A stop that came to nothing leaves a charge that charges."""
    (station,) = await online(database)
    async with a_world(database) as world:
        await charging(world, station)
        world.courier.outcome = Outcome(Result.REJECTED)
        await world.city.told("query_stop_charge", ASKED)
        told: dict[str, Any] = await world.city.told("query_equip_charge_status", {"StartChargeSeq": SEQ})
        world.pass_(MINUTE)

    assert told["StartChargeSeqStat"] == 2


async def test_a_connector_goes_by_its_name_in_the_inventory(database: Database) -> None:
    """Also where a card began the charge."""
    (station,) = await online(database)
    equipment, plug = charger("CS-0001")
    assert isinstance(plug, ConnectorRecord)
    await enter(database, [operator(), site(), equipment, replace(plug, connector_id="PLUG-A")])
    async with a_world(database) as world:
        await world.status(station, ConnectorStatus.CHARGING)
        await world.begin(station)
        told = await world.city.told(
            "query_equip_charge_status", {"StartChargeSeq": start_charge_seq(OURS, 1)}
        )

    assert told["ConnectorID"] == "PLUG-A"
