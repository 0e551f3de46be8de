"""Charge orders in no platform's words."""

from dataclasses import replace
from decimal import Decimal

from csms.domain.charging_session import evolve
from csms.domain.cost import cost_of
from csms.domain.orders import charge_order, start_charge_seq
from csms.domain.tariff import Tariff, TimeFee
from tests.domain.prices import BEIJING, SHANGHAI
from tests.domain.story import STATION, at, ended, register, started, told


def test_an_order_says_what_was_delivered() -> None:
    """Whole Wh, UTC, milliseconds; no money where no tariff applies."""
    session = told(started(wh=1000), ended(30, 3000))

    assert charge_order(session, STATION) == {
        "start_charge_seq": "123456789000000000000000001",
        "operator_id": "123456789",
        "site_code": "S01",
        "identity": "CS-1",
        "evse": 1,
        "connector": 1,
        "started_at": "2026-01-01T10:00:00.000Z",
        "ended_at": "2026-01-01T10:30:00.000Z",
        "energy_wh": 2000,
        "elec_money": None,
        "service_money": None,
        "money": None,
        "idle_money": None,
        "parking_money": None,
        "details": [],
        "stop_reason": "local",
        "meter_start_wh": 1000,
        "meter_stop_wh": 3000,
        "connector_power_w": 60_000,
        "revision": 1,
    }


def test_an_order_says_what_it_costs() -> None:
    """18:00 to 23:30 in Beijing, all of it before 22:30: texts, and no line in which nothing flowed."""
    session = evolve(told(started(wh=0)), ended_at=at(330), energy_wh=30_000)
    readings = (register(240, 28_000), register(270, 30_000))
    fees = Tariff(BEIJING.bands, (), TimeFee(Decimal("0.1")), TimeFee(Decimal("0.01")))
    cost = cost_of(session, readings, fees, SHANGHAI)

    order = charge_order(session, STATION, cost, 3)

    assert {name: order[name] for name in order if name.endswith("money") or name == "revision"} == {
        "elec_money": "34.97",
        "service_money": "24.00",
        "money": "58.97",
        "idle_money": "6.00",
        "parking_money": "3.30",
        "revision": 3,
    }
    assert order["details"] == [
        {
            "start": "2026-01-01T10:00:00.000Z",
            "end": "2026-01-01T14:00:00.000Z",
            "period": "peak",
            "energy_wh": 28_000,
            "elec_price": "1.1907",
            "service_price": "0.8000",
            "elec_money": "33.34",
            "service_money": "22.40",
        },
        {
            "start": "2026-01-01T14:00:00.000Z",
            "end": "2026-01-01T15:00:00.000Z",
            "period": "flat",
            "energy_wh": 2_000,
            "elec_price": "0.8173",
            "service_price": "0.8000",
            "elec_money": "1.63",
            "service_money": "1.60",
        },
    ]


def test_an_order_of_a_2x_session_has_its_registers_too() -> None:
    """From the readings at begin and end; a connector nobody named is the EVSE's only one."""
    session = told(started(seq=0, wh=1000, connector=None), ended(30, 3000, seq=1))

    order = charge_order(session, STATION)

    assert (order["meter_start_wh"], order["meter_stop_wh"], order["connector"]) == (1000, 3000, 1)


def test_the_number_has_27_characters_whatever_the_operator() -> None:
    """9 of the operator and 18 of the session, and no two sessions share one."""
    assert len(start_charge_seq("", 10**18 - 1)) == 27
    assert start_charge_seq("12", 5) == "000000012000000000000000005"
    assert charge_order(told(started()), replace(STATION, operator_code="MA0000001"))["ended_at"] is None
