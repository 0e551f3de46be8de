"""Alarms, events, power and order checks beside the golden messages."""

from datetime import date

import pytest

from csms.reporting.tcec.checks import Dispute, check_order_seq, disputes_of
from csms.reporting.tcec.envelope import parse_object
from csms.reporting.tcec.messages import message, read
from csms.reporting.tcec.profile import load_profile
from csms.reporting.tcec.wording import BadRecord
from tests.reporting.tcec.samples import SAMPLES

SHENZHEN, ZHEJIANG = load_profile("shenzhen"), load_profile("zhejiang")


@pytest.mark.parametrize(
    ("word", "raised", "expected"),
    [
        ("ground-failure", True, (1, 4, 1, 1)),
        ("ground-failure", False, (0, 4, 1, 1)),
        ("ev-communication-error", True, (1, 101, 2, 2)),
        ("over-voltage", True, (1, 201, 3, 2)),
        ("something-new", True, (1, 31, 1, 3)),
    ],
)
def test_codes_and_levels(word: str, raised: bool, expected: tuple[int, ...]) -> None:
    """The platform's table; what is not in it is the least of alarms."""
    payload = SAMPLES["alarm"] | {"word": word, "is_raised": raised}
    (info,) = parse_object(message(read("alarm", payload), SHENZHEN).text)["AlarmInfos"]

    assert tuple(info[name] for name in ("AlarmStatus", "AlarmCode", "AlarmType", "AlarmLevel")) == expected


def test_an_alarm_of_a_whole_station() -> None:
    """The city knows it by its first connector."""
    payload = SAMPLES["alarm"] | {"evse": 0, "connector": 0, "place": {}}
    (info,) = parse_object(message(read("alarm", payload), SHENZHEN).text)["AlarmInfos"]

    assert info["ConnectorID"] == "CS-00010101"


def test_an_event_without_code() -> None:
    """It was not to be told."""
    with pytest.raises(BadRecord, match="EventType is required"):
        message(read("event", SAMPLES["event"] | {"word": "tea"}), SHENZHEN)


def test_a_site_without_stations_draws_nothing() -> None:
    """It is told all the same."""
    payload = SAMPLES["power"] | {"sites": [{"site_code": "S02"}]}
    (info,) = parse_object(message(read("power", payload), ZHEJIANG).text)["SupStationPowerInfos"]

    assert (info["StationID"], info["StationRealTimePower"], info["EquipmentPowerInfos"]) == ("S02", 0.0, [])


def test_the_name_of_a_check() -> None:
    """27 characters, the same whenever it is made."""
    assert check_order_seq("123456789", date(2026, 1, 5)) == "123456789202601050000000000"
    assert check_order_seq("123456789", date(2026, 1, 5), 3) == "123456789202601050000000003"


def test_disputes_of_an_answer() -> None:
    """What cannot be read of it is left out."""
    answer = {
        "DisputeOrders": [
            {"StartChargeSeq": "A", "TotalPower": 1.5, "TotalMoney": "2", "DisputeReason": 3},
            {"StartChargeSeq": "B"},
            {"TotalPower": 1},
            "C",
        ]
    }

    assert disputes_of(answer) == [Dispute("A", "1.5", "2", 3), Dispute("B", "", "", None)]
    assert disputes_of({}) == disputes_of({"DisputeOrders": None}) == []
