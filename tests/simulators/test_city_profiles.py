"""Every message of every profile: right ones pass, and every wrong field is found, named and refused."""

import copy
import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from simulators.city_fields import BadTable, Scope, Table
from simulators.city_profile import ProfileError, load, shipped
from simulators.city_seal import read_json
from tests.simulators.city_kit import CITY, OPERATOR, meeting
from tests.simulators.city_samples import ALARM, BONUS, PUSHES, QUESTIONS, SEQ, answers

Body = dict[str, Any]
EVERY = [(profile, name) for profile, pushes in PUSHES.items() for name in pushes]
STRICT = [(profile, name) for profile, name in EVERY if profile != "simulated"]


def exact(body: Any) -> Any:
    """As it is after its journey as JSON."""
    return read_json(json.dumps(body, default=float))


def wrong(profile: str, name: str, body: Body) -> list[str]:
    """Every violation of a push, as text."""
    one = load(profile)
    push = next(push for push in one.pushes.values() if push.name == name)
    found = one.fields_wrong(push, exact(body), OPERATOR, CITY)
    return [str(violation) for violation in found] or [
        str(violation) for rule in push.rules for violation in rule(exact(body), {})
    ]


def test_there_is_a_sample_of_every_push() -> None:
    """So that what follows is about all of them."""
    for profile in shipped():
        assert {push.name for push in load(profile).pushes.values()} == PUSHES[profile].keys()


@pytest.mark.parametrize(("profile", "name"), EVERY)
async def test_a_right_message_is_taken(profile: str, name: str) -> None:
    """Over HTTP, at its own path, without a violation."""
    async with meeting(profile) as operator:
        city = operator.city
        path = next(path for path, push in city.profile.pushes.items() if push.name == name)
        ret, msg, told = await operator.push(path, PUSHES[profile][name])
        assert (ret, msg, city.ledger.violations()) == (0, "", [])
        assert told is not None
        verdicts = [told[word] for word in ("Status", "SuccStat", "ConfirmResult") if word in told]
        assert set(verdicts) == ({0} if name != "check_charge_orders" else set())
        summary = city.ledger.summary()
        kept = [summary["orders"], summary["hours"], *summary["others"].values()]
        assert sum(one["accepted"] for one in kept) + summary["statuses"]["connectors"] == 1


@pytest.mark.parametrize(("profile", "name"), STRICT)
def test_every_field_is_looked_at(profile: str, name: str) -> None:
    """Each field of each record in turn: left out, misspelt, null, and of another kind."""
    sample = PUSHES[profile][name]
    assert wrong(profile, name, sample) == []
    for path, record, field in fields(sample):
        body = copy.deepcopy(sample)
        here = at(body, path)
        value = here.pop(field)
        left_out = wrong(profile, name, body)
        assert all(field.rstrip("s") in text for text in left_out if "missing" in text), field
        here[field + "x"] = value
        misspelt = wrong(profile, name, body)
        assert any(field + "x: not a field of this platform" in text for text in misspelt), (field, record)
        del here[field + "x"]
        for other in (None, {"a": 1}, True, "x" * 2000):
            if isinstance(value, str) and other == "x" * 2000 and field == "Pictures":
                continue
            here[field] = other
            told = wrong(profile, name, body)
            assert any(field in text for text in told), (field, other, told)


def fields(body: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], Body, str]]:
    """Every field of every record within."""
    if isinstance(body, dict):
        for name, value in body.items():
            yield path, body, name
            yield from fields(value, (*path, name))
    elif isinstance(body, list):
        for n, value in enumerate(body):
            yield from fields(value, (*path, n))


def at(body: Any, path: tuple[str | int, ...]) -> Any:
    for step in path:
        body = body[step]
    return body


def changed(profile: str, name: str, path: str, value: Any) -> Body:
    """The sample with one value changed; `path` like ChargeDetails/1/DetailPower."""
    body = copy.deepcopy(PUSHES[profile][name])
    *steps, last = path.split("/")
    here = at(body, tuple(int(step) if step.isdigit() else step for step in steps))
    if value is ...:
        del here[last]
    else:
        here[last] = value
    return body


ORDER = "notification_charge_order_info"
CHARGE = "notification_equip_charge_status"
STATUS = "notification_stationStatus"
STATION = "notification_stationInfo"


@pytest.mark.parametrize(
    ("profile", "name", "path", "value", "expected"),
    [
        ("tcec102-2016", ORDER, "StartChargeSeq", "X" * 27, "does not begin with 123456789 or CITY00001"),
        ("tcec102-2016", ORDER, "StartChargeSeq", OPERATOR + "1", "10 characters, not 27 of ASCII"),
        ("tcec102-2016", ORDER, "ConnectorID", "", "ConnectorID: empty"),
        ("tcec102-2016", ORDER, "ConnectorID", "C" * 27, "27 characters, more than 26"),
        ("tcec102-2016", ORDER, "TotalPower", 1.234, "1.234 has more than 2 decimals"),
        ("tcec102-2016", ORDER, "TotalPower", -1, "-1 is negative"),
        ("tcec102-2016", ORDER, "TotalMoney", "1.00", "TotalMoney: text, not a number"),
        ("tcec102-2016", ORDER, "StopReason", 100, "StopReason: 100 is none of its values"),
        ("tcec102-2016", ORDER, "StopReason", 1.5, "StopReason: a number, not a whole number"),
        ("tcec102-2016", ORDER, "StartTime", "2026-01-05T10:00:00", "is not of the form"),
        ("tcec102-2016", ORDER, "EndTime", "2026-02-30 10:00:00", "does not exist"),
        ("tcec102-2016", ORDER, "ChargeDetails", [{}] * 33, "33 items, more than 32"),
        ("tcec102-2016", ORDER, "TotalServiceMoney", 1, "TotalServiceMoney: not a field of this platform"),
        ("tcec102-2016", ORDER, "ChargeDetails/0/ElecPrice", 0.12345, "has more than 4 decimals"),
        ("xiaoju", ORDER, "TotalSeviceMoney", 1, "TotalSeviceMoney: not a field of this platform"),
        ("beijing", BONUS, "UserName", "x" * 21, "21 characters, more than 20"),
        ("beijing", BONUS, "ConnectorPower", 60.55, "60.55 has more than 1 decimals"),
        ("tcec102-2016", STATUS, "ConnectorStatusInfo/Status", 5, "Status: 5 is none of its values"),
        ("tcec102-2016", STATUS, "ConnectorStatusInfo/ParkStatus", 1, "ParkStatus: 1 is none of its values"),
        ("tcec102-2016", STATUS, "ConnectorStatusInfo", [], "ConnectorStatusInfo: not an object"),
        ("tcec102-2016", CHARGE, "Soc", 101, "Soc: 101 is out of range"),
        ("shenzhen", STATUS, "ConnectorStatusInfo/CurrentB", ..., "CurrentB: missing"),
        ("shenzhen", STATION, "StationInfo/StationLat", 116.4, "StationLat: 116.4 is not in China"),
        ("shenzhen", STATION, "StationInfo/StationLng", 39.9, "StationLng: 39.9 is not in China"),
        ("shenzhen", STATION, "StationInfo/StationLng", 116.1234567, "has more than 6 decimals"),
        ("shenzhen", STATION, "StationInfo/CountryCode", "DE", "CountryCode: 'DE' is not of the form CN"),
        ("shenzhen", STATION, "StationInfo/OpratorType", ..., "OpratorType: missing"),
        ("shenzhen", STATION, "StationInfo/OperatorID", "12345678", "OperatorID: '12345678' is not"),
        ("shenzhen", "notification_alarmInfo", "AlarmInfos/0/AlarmCode", 50, "50 is none of its values"),
        ("shenzhen", "notification_alarmInfo", "AlarmInfos/0/AlarmLevel", 0, "0 is none of its values"),
        ("shenzhen", "notification_alarmInfo", "AlarmInfos/0/AlarmCode", 120, "is of type 2"),
        ("shenzhen", "notification_eventInfo", "EventInfos/0/EventCode", 4009, "4009 is none of its values"),
        ("zhejiang", ORDER, "PayChannel", ..., "PayChannel: missing"),
        ("zhejiang", ORDER, "PayChannel", 7, "PayChannel: 7 is none of its values"),
        ("zhejiang", STATION, "StationInfo/AreaCodeCountryside", "33", "is not of the form [0-9]{12}"),
        ("zhejiang", STATION, "StationInfo/StationType", 107, "StationType: 107 is none of its values"),
        # What fits by itself but not together.
        ("tcec102-2016", ORDER, "EndTime", "2026-01-01 00:00:00", "is before StartTime"),
        ("tcec102-2016", ORDER, "SumPeriod", 2, "SumPeriod: 2 but 3 ChargeDetails"),
        ("tcec102-2016", ORDER, "TotalPower", 0.01, "DetailPower: "),
        ("tcec102-2016", ORDER, "TotalElecMoney", 0.01, "DetailElecMoney: "),
        ("tcec102-2016", ORDER, "TotalSeviceMoney", 0.01, "DetailSeviceMoney: "),
        ("tcec102-2016", ORDER, "TotalMoney", 0.01, "TotalMoney: "),
        ("tcec102-2016", ORDER, "ChargeDetails/1/DetailStartTime", "2026-01-05 10:00:00", "is before"),
        ("tcec102-2016", ORDER, "ChargeDetails/2/DetailEndTime", "2026-02-05 10:00:00", "is after EndTime"),
        ("tcec102-2016", ORDER, "ChargeDetails/0/ElecPrice", 9, "kWh at 9 is not"),
        ("beijing", BONUS, "MeterValueEnd", 1, "MeterValueEnd: 1 is below 100.5"),
        ("beijing", BONUS, "ChargeLast", 1_000_000, "ChargeLast: 1000000 s of a session of"),
        ("zhejiang", ORDER, "ValleyElect", 1, "CuspElect, PeakElect, FlatElect, ValleyElect: "),
        (
            "zhejiang",
            "notification_realtime_power_info",
            "SupStationPowerInfos/0/StationRealTimePower",
            99,
            "StationRealTimePower of S01: 60.3 in sum, 99 as a whole",
        ),
        ("tcec102-2016", "notification_stop_charge_result", "SuccStat", 1, "FailReason: 0 with SuccStat 1"),
        ("tcec102-2016", "check_charge_orders", "OrderCount", 1, "OrderCount: 1 but 0 ChargeOrders"),
        ("tcec102-2016", "check_charge_orders", "TotalOrderMoney", 1, "TotalOrderMoney: "),
    ],
)
def test_what_is_wrong_is_named(profile: str, name: str, path: str, value: Any, expected: str) -> None:
    """Field and reason."""
    found = wrong(profile, name, changed(profile, name, path, value))
    assert any(expected in text for text in found), found


def test_a_hint_at_the_right_spelling() -> None:
    """Where a field that is missing stands under a similar name."""
    body = changed("tcec102-2016", ORDER, "TotalSeviceMoney", ...) | {"TotalServiceMoney": 1}

    assert sorted(wrong("tcec102-2016", ORDER, body)) == [
        "TotalServiceMoney: not a field of this platform, TotalSeviceMoney is how it is spelt",
        "TotalSeviceMoney: missing",
    ]


@pytest.mark.parametrize(
    ("profile", "name", "path", "value", "answer", "verdict"),
    [
        ("tcec102-2016", ORDER, "TotalMoney", 0.01, {"ConfirmResult": 1}, "disputed"),
        ("tcec102-2016", CHARGE, "TotalPower", 0.01, {"SuccStat": 1}, "disputed"),
        ("tcec102-2016", "notification_stop_charge_result", "FailReason", 3, {"FailReason": 3}, "disputed"),
        ("shenzhen", "notification_alarmInfo", "AlarmInfos/0/AlarmType", 3, {"Status": 1}, "disputed"),
        ("tcec102-2016", ORDER, "TotalMoney", "0.01", None, "4004"),
        ("tcec102-2016", STATUS, "ConnectorStatusInfo/Status", 9, None, "4004"),
        ("tcec102-2016", "check_charge_orders", "OrderCount", 3, None, "4004"),
    ],
)
async def test_how_it_is_answered(
    profile: str, name: str, path: str, value: Any, answer: Body | None, verdict: str
) -> None:
    """Ret 4004 for a field; ConfirmResult, SuccStat or Status 1 for what does not fit. Both are noted."""
    async with meeting(profile) as operator:
        city = operator.city
        where = next(path for path, push in city.profile.pushes.items() if push.name == name)
        ret, msg, told = await operator.push(where, changed(profile, name, path, value))
        noted = city.ledger.violations()
        orders = city.ledger.numbers("order")

    assert noted
    assert {(one["interface"], one["verdict"]) for one in noted} == {(name, verdict)}
    if answer is None:
        assert (ret, told, orders["received"]) == (4004, None, 0)
        assert noted[0]["field"] in msg
    else:
        assert ret == 0
        assert told is not None
        assert told.items() >= answer.items()
        assert orders["disputed"] == int(name == ORDER)


async def test_a_disputed_order_that_is_mended_is_disputed_no_longer() -> None:
    """Its mended statement is a new version."""
    async with meeting("tcec102-2016") as operator:
        city = operator.city
        path = f"/evcs/v1/{ORDER}"
        _, _, first = await operator.push(path, changed("tcec102-2016", ORDER, "TotalMoney", 0.01))
        _, _, second = await operator.push(path, PUSHES["tcec102-2016"][ORDER])
        numbers = city.ledger.numbers("order")

    assert first is not None
    assert second is not None
    assert (first["ConfirmResult"], second["ConfirmResult"]) == (1, 0)
    assert (numbers["disputed"], numbers["corrections"]) == (0, 1)


async def test_paths_are_those_of_the_profile() -> None:
    """Another folder or an interface the platform does not have: 404."""
    async with meeting("beijing") as operator:
        for path in (f"/evcs/v1/{BONUS}", f"/evcs/20160701/{ORDER}", "/evcs/v1/query_token", f"/{BONUS}"):
            assert (await operator.post(path, operator.sealed({}))).status_code == 404


async def test_zhejiang_says_that_it_has_it_already() -> None:
    """Ret 4015 for the same order again, not for one that says something new."""
    async with meeting("zhejiang") as operator:
        path, body = "/evcs/v1/supervise_notification_charge_order_info", PUSHES["zhejiang"][ORDER]
        rets = [
            (await operator.push(path, one))[0]
            for one in (body, body, body | {"StopDesc": "拔枪"}, body | {"StopDesc": "拔枪"})
        ]

    assert rets == [0, 4015, 0, 4015]


async def test_alarms_are_kept_raised_and_cleared() -> None:
    """Each under its own key."""
    async with meeting("shenzhen") as operator:
        city = operator.city
        path = "/shevcs/v1.0/notification_alarmInfo"
        both = [ALARM, ALARM | {"AlarmStatus": 0, "AlarmTime": "2026-01-05 10:05:00"}]
        for _ in range(2):
            await operator.push(path, {"AlarmInfos": both})
        numbers = city.ledger.numbers("alarm")
        kept = [one["key"] for one in city.ledger.entries("alarm")]

    assert (numbers["accepted"], numbers["duplicates"]) == (2, 2)
    assert kept == [
        f"CS-0001/CS-00010101/17/{state}/2026-01-05 10:0{minute}:00" for state, minute in ((1, 0), (0, 5))
    ]


@pytest.mark.parametrize("profile", sorted(PUSHES))
def test_right_answers_of_every_query(profile: str) -> None:
    """Every query has a question and an answer that pass."""
    one = load(profile)
    for name, query in one.queries.items():
        asked = QUESTIONS[name]
        assert one.fields_wrong(query, exact(asked), CITY, OPERATOR) == []
        told = exact(answers(name, asked, profile))
        assert one.answer_wrong(query, told, asked, CITY, OPERATOR) == [], name


def test_a_profile_that_does_not_exist() -> None:
    """It says which do."""
    with pytest.raises(ProfileError, match="gotham: there are beijing, shenzhen"):
        load("gotham")


@pytest.mark.parametrize("kind", ["word 5", "text", "text five", "number", "whole in x", "pattern", "time 5"])
def test_a_table_in_another_language(kind: str) -> None:
    """It is refused where it is read."""
    with pytest.raises((BadTable, TypeError)):
        Table({"A": kind}, {})


@pytest.mark.parametrize(
    ("kind", "value", "well"),
    [
        ("text 0..3", "", True),
        ("text 3", "", False),
        ("text =3", "abcd", False),
        ("text 3", "北京市", True),
        ("whole", True, False),
        ("whole in 1 5..7", 6, True),
        ("whole-or-text 0..50", "7", True),
        ("whole 0..50", "7", False),
        ("wholes in 1 2", [1, 3], False),
        ("texts 3 1..2", ["a", "b", "c"], False),
        ("number 2", Decimal("1.10"), True),
        ("number 2", Decimal("1.100"), True),
        ("number 2", Decimal("1.101"), False),
        ("number 2", Decimal("1E+3"), True),
        ("number 2", 10**12, False),
        ("number 1 signed", Decimal("-0.5"), True),
        ("day", "2026-01-05", True),
        ("day", "2026-01-05 00:00:00", True),
        ("clock", "20260105000000", True),
        ("clock", "20261305000000", False),
        ("hhmmss", "235959", True),
        ("hhmmss", "240000", False),
        ("date", "２０26-01-05", False),
        ("operator", "12345678 ", False),
        ("serial", SEQ, True),
        ("serial", SEQ[:-1] + "北", False),
    ],
)
def test_the_language_of_the_tables(kind: str, value: Any, well: bool) -> None:
    """One type, one value."""
    found = list(Table({"A": kind}, {}).check({"A": value}, Scope((OPERATOR,))))
    assert (found == []) is well, found


def test_one_of_several_spellings() -> None:
    """One is needed, two are too many."""
    table = Table({"A|B": "whole"}, {})

    assert [str(one) for one in table.check({}, Scope(("",)))] == ["A: missing"]
    assert list(table.check({"B": 1}, Scope(("",)))) == []
    assert [str(one) for one in table.check({"A": 1, "B": 1}, Scope(("",)))] == ["A: stands beside B"]
