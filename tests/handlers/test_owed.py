"""What city platforms are owed, and who is owed it."""

from csms.handlers.context import PlatformRoute
from tests.handlers.kit import HOUR, MINUTE, OTHER, House, text


async def test_an_order_goes_to_each_platform_of_the_operator(house: House) -> None:
    """And to no other's."""
    talk = await house.connect()
    transaction_id = await talk.start()
    house.at += HOUR
    await talk.stop(transaction_id, 2500, reason="EVDisconnected")

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

    orders = await house.owed("charge-order")

    assert [payload["energy_wh"] for _, payload in orders] == [1]


async def test_statuses_of_connectors_only(house: House) -> None:
    """The station as a whole (connector 0) is no connector of the city's."""
    talk = await house.connect()

    await talk.status("Available", evse=0)
    await talk.status("Charging", evse=2)

    ((about, payload),) = await house.owed("connector-status")
    assert about == f"CS-1/2/1/{int(house.at.timestamp() * 1e6)}/charging"
    assert payload == {
        "operator_id": "123456789",
        "identity": "CS-1",
        "evse": 2,
        "connector": 1,
        "status": "charging",
        "at": "2026-01-01T10:00:00.000Z",
    }
    assert await house.owed("connector-status", "orders-only") == []


async def test_nobody_is_owed_anything_without_platforms(house: House) -> None:
    """An operator that no city supervises."""
    alone = House(house.database, house.writer, routes=(PlatformRoute("elsewhere", OTHER),))
    talk = await alone.connect()
    await talk.status("Charging")
    await talk.stop(await talk.start(), 2000)

    assert [await alone.owed(kind, "elsewhere") for kind in ("charge-order", "connector-status")] == [[], []]
