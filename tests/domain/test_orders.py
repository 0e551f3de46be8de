"""Charge orders in no platform's words."""

from dataclasses import replace

from csms.domain.orders import charge_order, start_charge_seq
from tests.domain.story import STATION, ended, started, told


def test_an_order_says_what_was_delivered() -> None:
    """Whole Wh, UTC, milliseconds; money is another's."""
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
        "stop_reason": "local",
        "meter_start_wh": 1000,
        "meter_stop_wh": 3000,
        "revision": 1,
    }


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
