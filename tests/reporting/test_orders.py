"""From a station's messages to the order that a platform is owed, priced and in revisions."""

from typing import Any

import pytest

from csms.domain.assets import OcppVersion
from csms.store.tariffs import PlaceForm, TariffStore, VersionForm
from csms.store.writer import Writer
from tests.domain.prices import BEIJING
from tests.handlers.kit import HOUR, MINUTE, OPERATOR, T0, House, event_2, text


@pytest.fixture
async def house(inline_database: Any) -> Any:
    """A house in memory."""
    async with Writer(inline_database) as writer:
        yield House(inline_database, writer)


async def test_an_order_goes_to_each_platform_of_the_operator(house: House) -> None:
    """And to no other's."""
    talk = await house.connect()
    transaction_id = await talk.start()
    house.at += HOUR
    await talk.stop(transaction_id, 2500, reason="EVDisconnected")
    await house.settle()

    (session,) = await house.sessions()
    for platform in ("city", "orders-only"):
        ((_, payload),) = await house.owed("charge-order", platform)
        assert payload == {
            "start_charge_seq": session["start_charge_seq"],
            "operator_id": "123456789",
            "site_code": "S01",
            "identity": "CS-1",
            "evse": 1,
            "connector": 1,
            "started_at": session["started_at"],
            "ended_at": session["ended_at"],
            "energy_wh": 1500,
            "elec_money": None,
            "service_money": None,
            "money": None,
            "idle_money": None,
            "parking_money": None,
            "details": [],
            "stop_reason": "ev-disconnected",
            "meter_start_wh": 1000,
            "meter_stop_wh": 2500,
            "revision": 1,
            "connector_power_w": 60_000,
        }
    assert await house.owed("charge-order", "elsewhere") == []


async def test_a_revision_is_owed_once_more(house: House) -> None:
    """Late data that changes what was told makes revision 2; late data that does not makes none."""
    talk = await house.connect()
    # Without a start register, only readings tell the energy.
    transaction_id = await talk.start(wh=-1)
    house.at += 10 * MINUTE
    await talk.meter(1000, transaction_id)
    house.at += 10 * MINUTE
    await talk.stop(transaction_id, 3000)
    await house.settle()
    late = {
        "connectorId": 1,
        "transactionId": transaction_id,
        "meterValue": [
            {"timestamp": text(house.at - 15 * MINUTE), "sampledValue": [{"value": "400"}]},
        ],
    }
    house.at += MINUTE

    await talk.say("MeterValues", late)
    await talk.say("MeterValues", late)
    await house.settle()

    told = [
        (about.split("/")[1], payload["energy_wh"]) for about, payload in await house.owed("charge-order")
    ]
    assert told == [("1", 2000), ("2", 2600)]


async def test_a_refused_session_without_energy_is_no_order(house: House) -> None:
    """Nothing was delivered to nobody; a Wh that was is one."""
    talk = await house.connect()
    for stop_wh in (1000, 1001):
        transaction_id = await talk.start(token="STRANGER")
        house.at += MINUTE
        await talk.stop(transaction_id, stop_wh)
    await house.settle()

    orders = await house.owed("charge-order")

    assert [payload["energy_wh"] for _, payload in orders] == [1]


async def priced(house: House) -> None:
    """The operator has a tariff."""
    await house.connect()
    store = TariffStore(house.database)
    await store.add(OPERATOR, "T1", "Tariff", VersionForm(BEIJING, T0 - HOUR), T0)
    await store.assign("T1", OPERATOR, PlaceForm(), T0 - HOUR, T0)


async def test_an_order_has_money(house: House) -> None:
    """18:00 to 23:00 in Beijing, 40 kWh by 22:00 and 5 after."""
    await priced(house)
    talk = await house.connect()
    transaction_id = await talk.start(0)
    house.at += 4 * HOUR
    await talk.meter(40_000, transaction_id)
    house.at += HOUR
    await talk.stop(transaction_id, 45_000)
    await house.settle()

    ((about, order),) = await house.owed("charge-order")
    (session,) = await house.sessions()
    assert about == f"{session['session_id']}/1"
    assert (order["elec_money"], order["service_money"], order["money"]) == ("51.71", "36.00", "87.71")
    assert [(line["period"], line["energy_wh"]) for line in order["details"]] == [
        ("peak", 40_000),
        ("flat", 5_000),
    ]
    assert (session["cost"], session["currency"]) == ("87.71", "CNY")


async def test_a_late_reading_moves_energy_between_prices(house: House) -> None:
    """A 2.x station's queued event after the end: same energy, other money, a new order and no new revision
    of the session.
    """
    await priced(house)
    talk = await house.connect(OcppVersion.V201)
    await talk.say("TransactionEvent", event_2("Started", T0, 0, 0))
    house.at += 5 * HOUR
    await talk.say("TransactionEvent", event_2("Ended", house.at, 2, 45_000))
    await house.settle()

    await talk.say("TransactionEvent", event_2("Updated", T0 + 4 * HOUR, 1, 44_000, offline=True))
    await house.settle()

    told = [
        (one["revision"], one["energy_wh"], one["elec_money"]) for _, one in await house.owed("charge-order")
    ]
    assert told == [(1, 45_000, "50.22"), (2, 45_000, "53.21")]
    (session,) = await house.sessions()
    assert session["revision"] == 1


async def test_an_order_follows_a_start_that_comes_late(house: House) -> None:
    """E04: provisional until its start comes, though its end was settled long before."""
    await priced(house)
    talk = await house.connect(OcppVersion.V201)
    house.at += HOUR
    await talk.say("TransactionEvent", event_2("Updated", T0 + MINUTE, 1, 10))
    await talk.say("TransactionEvent", event_2("Ended", house.at, 2, 8_000))
    await house.settle()
    assert await house.owed("charge-order") == []

    await talk.say("TransactionEvent", event_2("Started", T0, 0, 0, offline=True))
    await house.settle()

    ((_, order),) = await house.owed("charge-order")
    assert (order["revision"], order["energy_wh"], order["elec_money"]) == (1, 8_000, "9.53")
