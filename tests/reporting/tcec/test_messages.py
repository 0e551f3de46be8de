"""Our records in the platforms' words, byte for byte."""

import re
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ocpp.v16 import enums as v16
from ocpp.v21 import enums as v21
from ocpp.v201 import enums as v201

from csms.domain.assets import ConnectorStatus
from csms.reporting.tcec.envelope import parse_object
from csms.reporting.tcec.messages import (
    HOUR,
    ORDER,
    STATUS,
    BadRecord,
    ChargeOrder,
    ConnectorState,
    HourTotal,
    KindNotTaken,
    message,
    read,
)
from csms.reporting.tcec.profile import HourField, OrderField, Profile, StatusField, load_profile

STANDARD, BEIJING, SIMULATED = (load_profile(name) for name in ("tcec102-2016", "beijing", "simulated"))
SEQ = "123456789000000000000000042"


def order(**other: Any) -> dict[str, Any]:
    """A charge order as the outbox keeps it: one hour, 12.345 kWh, over New Year in Beijing."""
    return {
        "start_charge_seq": SEQ,
        "operator_id": "123456789",
        "site_code": "S01",
        "identity": "CS-0001",
        "evse": 1,
        "connector": 2,
        "connector_id": "",
        "started_at": "2017-12-31T15:30:00.000Z",
        "ended_at": "2017-12-31T16:30:00.500Z",
        "energy_wh": 12345,
        "elec_money": None,
        "service_money": None,
        "money": None,
        "stop_reason": "ev-disconnected",
        "meter_start_wh": 1_000_000,
        "meter_stop_wh": 1_012_345,
        "revision": 1,
    } | other


def status(text: str, **other: Any) -> dict[str, Any]:
    """A connector's status as the outbox keeps it."""
    return {
        "operator_id": "123456789",
        "identity": "CS-0001",
        "evse": 1,
        "connector": 1,
        "connector_id": "",
        "status": text,
        "at": "2026-01-01T00:00:00Z",
    } | other


def told(kind: str, payload: dict[str, Any], profile: Profile) -> dict[str, Any]:
    return parse_object(message(read(kind, payload), profile).text)


HOUR_TOTAL: dict[str, Any] = {
    "operator_id": "123456789",
    "site_code": "S01",
    "hour": "2017-12-31T15:00:00Z",
    "energy_wh": 12_345,
    "sessions": 3,
    "revision": 2,
    "stations": [
        {
            "identity": "CS-0001",
            "energy_wh": 12_345,
            "connectors": [{"evse": 1, "connector": 1, "energy_wh": 45}],
        },
    ],
}
GOLDEN = [
    (
        STANDARD,
        "charge-order",
        order(elec_money="10.005", service_money="2", money="12.005"),
        "/evcs/v1/notification_charge_order_info",
        '{"StartChargeSeq":"123456789000000000000000042","ConnectorID":"CS-00010102",'
        '"StartTime":"2017-12-31 23:30:00","EndTime":"2018-01-01 00:30:00","TotalPower":12.35,'
        '"TotalElecMoney":10.01,"TotalSeviceMoney":2.00,"TotalMoney":12.01,"StopReason":4}',
    ),
    (
        BEIJING,
        "charge-order",
        order(connector_power_w=60_000),
        "/evcs/20160701/notification_charge_order_info_for_bonus",
        '{"StartChargeSeq":"123456789000000000000000042","ConnectorID":"CS-00010102",'
        '"StartTime":"2017-12-31 23:30:00","EndTime":"2018-01-01 00:30:00","TotalPower":12.35,'
        '"TotalElecMoney":0.00,"TotalSeviceMoney":0.00,"TotalMoney":0.00,"StopReason":4,"ChargeModel":0,'
        '"UserName":"","StationID":"S01","EquipmentID":"CS-0001","ConnectorPower":60.0,"ChargeLast":3600,'
        '"MeterValueStart":1000.00,"MeterValueEnd":1012.35}',
    ),
    (
        SIMULATED,
        "charge-order",
        order(connector_id="OWN-1", revision=3, stop_reason="remote"),
        "/evcs/v1/notification_charge_order_info",
        '{"StartChargeSeq":"123456789000000000000000042","ConnectorID":"OWN-1",'
        '"StartTime":"2017-12-31 23:30:00","EndTime":"2018-01-01 00:30:00","TotalPower":12.345,'
        '"TotalElecMoney":0.00,"TotalSeviceMoney":0.00,"TotalMoney":0.00,"StopReason":1,"StationID":"S01",'
        '"EquipmentID":"CS-0001","MeterValueStart":1000.000,"MeterValueEnd":1012.345,"Revision":3}',
    ),
    (
        BEIJING,
        "connector-status",
        status("charging"),
        "/evcs/20160701/notification_stationStatus",
        '{"ConnectorStatusInfo":{"ConnectorID":"CS-00010101","Status":3,"ParkStatus":50,"LockStatus":0}}',
    ),
    (
        STANDARD,
        "connector-status",
        status("faulted", connector_id="00000000000000000000000101"),
        "/evcs/v1/notification_stationStatus",
        '{"ConnectorStatusInfo":{"ConnectorID":"00000000000000000000000101","Status":255,"ParkStatus":0,'
        '"LockStatus":0}}',
    ),
    (
        SIMULATED,
        "hour-total",
        HOUR_TOTAL,
        "/evcs/v1/notification_stationStats",
        '{"StationStats":{"OperatorID":"123456789","StationID":"S01","StartTime":"2017-12-31 23:00:00",'
        '"EndTime":"2018-01-01 00:00:00","StationElectricity":12.345,"SessionCount":3,"Revision":2,'
        '"EquipmentStatsInfos":[{"EquipmentID":"CS-0001","EquipmentElectricity":12.345,"ConnectorStatsInfos":'
        '[{"ConnectorID":"CS-00010101","ConnectorElectricity":0.045}]}]}}',
    ),
]


@pytest.mark.parametrize(("profile", "kind", "payload", "path", "text"), GOLDEN)
def test_golden_body(profile: Profile, kind: str, payload: dict[str, Any], path: str, text: str) -> None:
    """Each profile's path, spelling, decimals and field order."""
    worded = message(read(kind, payload), profile)

    assert (worded.path, worded.text) == (path, text)


def test_another_spelling_shape_and_decimals(tmp_path: Path) -> None:
    """A profile file alone bends the words: an array, a corrected name, three decimals."""
    (tmp_path / "js.yaml").write_text(
        "extends: tcec102-2016\nname: js\ndecimals: {energy: 3}\n"
        "spelling: {TotalServiceMoney: TotalServiceMoney}\n"
        "pushes:\n"
        "  connector-status: {shape: array, fields: [ConnectorID, Status], spelling: {Status: State}}\n"
    )
    profile = load_profile(tmp_path / "js.yaml")

    assert told("connector-status", status("reserved"), profile) == {
        "ConnectorStatusInfos": [{"ConnectorID": "CS-00010101", "State": 4}]
    }
    worded = told("charge-order", order(), profile)
    assert (worded["TotalPower"], worded["TotalServiceMoney"]) == (12.345, 0.0)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("available", 1),
        ("preparing", 2),
        ("suspended-ev", 2),
        ("suspended-evse", 2),
        ("finishing", 2),
        ("occupied", 2),
        ("charging", 3),
        ("reserved", 4),
        ("unavailable", 255),
        ("faulted", 255),
        ("offline", 0),
        ("unknown", 0),
    ],
)
def test_status_codes(ours: str, theirs: int) -> None:
    """Every status of ours in the standard's six."""
    info = told("connector-status", status(ours), STANDARD)["ConnectorStatusInfo"]

    assert info["Status"] == theirs
    assert info["ParkStatus"] == (50 if theirs in (2, 3) else 0)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("local", 0),
        ("", 0),
        ("remote", 1),
        ("deauthorized", 1),
        ("soc-limit", 2),
        ("stopped-by-ev", 2),
        ("emergency-stop", 3),
        ("hard-reset", 3),
        ("soft-reset", 3),
        ("power-loss", 3),
        ("reboot", 3),
        ("unlock-command", 3),
        ("fault", 3),
        ("other", 3),
        ("ev-disconnected", 4),
        ("the moon was full", 3),
    ],
)
def test_stop_reasons(ours: str, theirs: int) -> None:
    """Every reason in the standard's five; what nobody knows counts as a fault."""
    assert told("charge-order", order(stop_reason=ours), STANDARD)["StopReason"] == theirs


@pytest.mark.parametrize("reasons", [v16.Reason, v201.ReasonEnumType, v21.ReasonEnumType])
def test_every_ocpp_reason_has_its_line(reasons: type[StrEnum]) -> None:
    """None of them falls to `otherwise` unseen."""
    words = [re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "-", reason) for reason in reasons]

    assert {word.lower() for word in words} <= set(STANDARD.stop_reasons)


@pytest.mark.parametrize(
    ("start", "stop", "energy", "expected"),
    [
        (1000, 3000, 2000, (1.0, 3.0)),
        (None, 3000, 2000, (1.0, 3.0)),
        (1000, None, 2000, (1.0, 3.0)),
        (None, None, 2000, (0.0, 2.0)),
        (None, 1000, 2000, (0.0, 1.0)),
        (None, None, None, (0.0, 0.0)),
    ],
)
def test_registers_that_are_not_known(
    start: int | None, stop: int | None, energy: int | None, expected: tuple[float, float]
) -> None:
    """A missing register is made from the other one and the energy."""
    worded = told("charge-order", order(meter_start_wh=start, meter_stop_wh=stop, energy_wh=energy), BEIJING)

    assert (worded["MeterValueStart"], worded["MeterValueEnd"]) == expected


def test_energy_not_known_is_told_as_zero() -> None:
    """TotalPower is mandatory; a correction follows when the energy is known."""
    assert told("charge-order", order(energy_wh=None), STANDARD)["TotalPower"] == 0


@given(st.integers(0, 10**12))
def test_watt_hours_are_exact(energy_wh: int) -> None:
    """Three decimals lose nothing; two are rounded half up."""
    exact = message(read("charge-order", order(energy_wh=energy_wh)), SIMULATED).text
    rounded = message(read("charge-order", order(energy_wh=energy_wh)), STANDARD).text

    assert Decimal(exact.split('"TotalPower":')[1].split(",")[0]) * 1000 == energy_wh
    assert Decimal(rounded.split('"TotalPower":')[1].split(",")[0]) * 100 == (energy_wh + 5) // 10


@pytest.mark.parametrize(
    ("kind", "payload", "said"),
    [
        ("tea", {}, "no kind tea"),
        ("charge-order", {}, "start_charge_seq"),
        ("charge-order", order(start_charge_seq="42"), "2 characters, not 27"),
        ("charge-order", order(started_at="2026-01-01T10:00:00"), "UTC"),
        ("charge-order", order(ended_at="2026-01-01T10:00:00+08:00"), "UTC"),
        ("charge-order", order(ended_at="yesterday"), "ended_at"),
        ("charge-order", order(money="a lot"), "money"),
        ("charge-order", order(money="NaN"), "money"),
        ("charge-order", order(energy_wh="12"), "energy_wh"),
        ("charge-order", order(energy_wh=1.5), "energy_wh"),
        ("connector-status", status("loading"), "status"),
        ("hour-total", HOUR_TOTAL | {"stations": [{}]}, "stations"),
    ],
)
def test_a_record_that_cannot_be_read(kind: str, payload: dict[str, Any], said: str) -> None:
    """It is named, key and all."""
    with pytest.raises(BadRecord, match=said):
        read(kind, payload)


@pytest.mark.parametrize(
    "other",
    [
        {"ended_at": "9999-12-31T23:59:59Z"},
        {"money": "1e999999"},
        {"energy_wh": 10**40},
        {"connector_id": "\ud800"},
    ],
)
def test_a_value_out_of_range(other: dict[str, Any]) -> None:
    """Values no platform could take are the record's fault, not a crash."""
    with pytest.raises(BadRecord, match="out of range"):
        message(read("charge-order", order(**other)), STANDARD)


def test_a_kind_the_platform_does_not_take() -> None:
    """Hourly totals to a plain T/CEC platform."""
    with pytest.raises(KindNotTaken):
        message(read("hour-total", HOUR_TOTAL), STANDARD)


def test_records_and_payloads() -> None:
    """What is stored is what was meant; keys not known are left alone."""
    at = datetime(2026, 1, 1, tzinfo=UTC)
    state = ConnectorState("123456789", "CS", 1, 1, ConnectorStatus.CHARGING, at)
    site_hour = HourTotal.from_payload(HOUR_TOTAL)
    charge = ChargeOrder.from_payload(order(money="1.50", colour="green"))

    assert ConnectorState.from_payload(state.to_payload()) == state
    assert HourTotal.from_payload(site_hour.to_payload()) == site_hour
    assert ChargeOrder.from_payload(charge.to_payload()) == charge
    assert charge.to_payload()["money"] == "1.50"


def test_every_field_a_profile_may_name_has_words() -> None:
    """The schema's names and the tables' are the same."""
    assert set(STATUS) == set(get_args(StatusField))
    assert set(ORDER) == set(get_args(OrderField))
    assert set(HOUR) == set(get_args(HourField))
