"""Figures and times of one message against each other: what adds up, what comes after what.

Every rule is looked at only once all fields of the message are as they should be. A rule gets the message
and, for an operator's answer, what was asked. It knows no platform: of a name's spellings it takes the one
that stands in the message.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from simulators.city_fields import Violation

Body = Mapping[str, Any]
Rule = Callable[[Body, Body], Iterator[Violation]]

ENERGY = ("TotalPower", "TotalElect")
ELECTRICITY = ("TotalElecMoney", "ElecMoney", "ElectMoney")
SERVICE = ("TotalSeviceMoney", "TotalServiceMoney", "SeviceMoney", "ServiceMoney")
DETAIL_SERVICE = ("DetailSeviceMoney", "DetailServiceMoney")
SERVICE_PRICE = ("SevicePrice", "ServicePrice")
PERIODS = ("CuspElect", "PeakElect", "FlatElect", "ValleyElect")
UNIT = Decimal("0.01")


def times(body: Body, _: Body) -> Iterator[Violation]:
    """The end is not before the start."""
    if body["EndTime"] < body["StartTime"]:
        yield Violation("EndTime", f"{body['EndTime']} is before StartTime {body['StartTime']}")


def details(body: Body, _: Body) -> Iterator[Violation]:
    """The periods follow one another within the whole, and add up to it to the last digit."""
    parts = body.get("ChargeDetails", [])
    if "SumPeriod" in body and body["SumPeriod"] != len(parts):
        yield Violation("SumPeriod", f"{body['SumPeriod']} but {len(parts)} ChargeDetails")
    if not parts:
        return
    yield from _in_order(body, parts)
    yield from _adds_up("DetailPower", [part["DetailPower"] for part in parts], _value(body, ENERGY))
    for names, whole in ((("DetailElecMoney",), ELECTRICITY), (DETAIL_SERVICE, SERVICE)):
        amounts = [_value(part, names) for part in parts]
        if None not in amounts:
            yield from _adds_up(names[0], amounts, _value(body, whole))
    for n, part in enumerate(parts):
        yield from _priced(f"ChargeDetails[{n}]", part)


def totals(body: Body, _: Body) -> Iterator[Violation]:
    """The sum is electricity and service."""
    parts = [_value(body, ELECTRICITY), _value(body, SERVICE)]
    if None not in parts:
        yield from _adds_up("TotalMoney", parts, body.get("TotalMoney"))


def meter(body: Body, _: Body) -> Iterator[Violation]:
    """Registers do not run backwards; nobody charges longer than the session lasts."""
    if body["MeterValueEnd"] < body["MeterValueStart"]:
        yield Violation("MeterValueEnd", f"{body['MeterValueEnd']} is below {body['MeterValueStart']}")
    lasted = (_time(body["EndTime"]) - _time(body["StartTime"])).total_seconds()
    if body["ChargeLast"] > lasted:
        yield Violation("ChargeLast", f"{body['ChargeLast']} s of a session of {lasted:.0f} s")


def periods(body: Body, _: Body) -> Iterator[Violation]:
    """Cusp, peak, flat and valley make the whole."""
    amounts = [body[name] for name in PERIODS if name in body]
    if amounts:
        yield from _adds_up("CuspElect, PeakElect, FlatElect, ValleyElect", amounts, body["TotalElect"])


def outcome(body: Body, _: Body) -> Iterator[Violation]:
    """Success has no reason to fail, and failure has one."""
    if (body["SuccStat"] == 0) != (body["FailReason"] == 0):
        yield Violation("FailReason", f"{body['FailReason']} with SuccStat {body['SuccStat']}")


def checked_sums(body: Body, _: Body) -> Iterator[Violation]:
    """The check's own sums; no order twice."""
    orders = body["ChargeOrders"]
    if body["OrderCount"] != len(orders):
        yield Violation("OrderCount", f"{body['OrderCount']} but {len(orders)} ChargeOrders")
    for whole, part in (("TotalOrderPower", "TotalPower"), ("TotalOrderMoney", "TotalMoney")):
        yield from _adds_up(whole, [order[part] for order in orders], body[whole])
    yield from _once("StartChargeSeq", [order["StartChargeSeq"] for order in orders])


def echoed(body: Body, asked: Body) -> Iterator[Violation]:
    """What was named in the question is named in the answer."""
    for name in asked.keys() & body.keys():
        if body[name] != asked[name]:
            yield Violation(name, f"{body[name]!r}, asked was {asked[name]!r}")


def page(body: Body, asked: Body) -> Iterator[Violation]:
    """The page that was asked for, as full as it should be, of as many as the total makes."""
    number, size, total = asked.get("PageNo", 1), asked.get("PageSize", 10), body["ItemSize"]
    items = next(value for value in body.values() if isinstance(value, list))
    if body["PageNo"] != number:
        yield Violation("PageNo", f"{body['PageNo']}, asked was {number}")
    if body["PageCount"] != -(-total // size):
        yield Violation("PageCount", f"{body['PageCount']} for {total} items in pages of {size}")
    due = min(max(total - (number - 1) * size, 0), size)
    if len(items) != due:
        yield Violation("ItemSize", f"{len(items)} items on page {number}, {due} are due of {total}")


def assets(body: Body, _: Body) -> Iterator[Violation]:
    """No identifier twice; limits the right way round."""
    yield from _assets(body["StationInfos"])


def pushed_assets(body: Body, _: Body) -> Iterator[Violation]:
    """The same for one station that is pushed, or several."""
    yield from _assets(body.get("StationInfos") or [body["StationInfo"]])


def asked_stations(body: Body, asked: Body) -> Iterator[Violation]:
    """Only stations that were asked for, each once, and counted right."""
    told = [info["StationID"] for info in body["StationStatusInfos"]]
    if int(body["Total"]) != len(told):
        yield Violation("Total", f"{body['Total']} but {len(told)} stations")
    yield from _once("StationID", told)
    for station in set(told) - set(asked["StationIDs"]):
        yield Violation("StationID", f"{station} was not asked for")


def asked_station(body: Body, asked: Body) -> Iterator[Violation]:
    """The station and the days that were asked for."""
    stats = body["StationStats"]
    for name in ("StationID", "StartTime", "EndTime"):
        if stats[name][:10] != asked[name][:10] or (name == "StationID" and stats[name] != asked[name]):
            yield Violation(f"StationStats.{name}", f"{stats[name]}, asked was {asked[name]}")


def stats_sums(body: Body, _: Body) -> Iterator[Violation]:
    """Connectors make their equipment's energy, equipment the station's."""
    stats = body["StationStats"]
    kind = next(name[7:-11] for name in stats if name.endswith("Electricity"))  # '', Charge, Discharge
    machines = stats[f"Equipment{kind}StatsInfos"]
    for machine in machines:
        parts = [part[f"Connector{kind}Electricity"] for part in machine[f"Connector{kind}StatsInfos"]]
        where = f"Equipment{kind}Electricity of {machine['EquipmentID']}"
        yield from _adds_up(where, parts, machine[f"Equipment{kind}Electricity"])
    whole = f"Station{kind}Electricity"
    yield from _adds_up(whole, [m[f"Equipment{kind}Electricity"] for m in machines], stats[whole])


def policy(body: Body, _: Body) -> Iterator[Violation]:
    """As many periods as said, each beginning after the one before."""
    starts = [info["StartTime"] for info in body["PolicyInfos"]]
    if body["SumPeriod"] != len(starts):
        yield Violation("SumPeriod", f"{body['SumPeriod']} but {len(starts)} PolicyInfos")
    if starts != sorted(set(starts)):
        yield Violation("PolicyInfos", "StartTime does not rise")


def alarms(body: Body, _: Body) -> Iterator[Violation]:
    """An alarm's type is that of its code: 1-31 charging, 101-122 battery, 201-206 distribution."""
    for n, alarm in enumerate(body["AlarmInfos"]):
        kind = alarm["AlarmCode"] // 100 + 1
        if alarm["AlarmType"] != kind:
            where = f"AlarmInfos[{n}].AlarmType"
            yield Violation(
                where, f"{alarm['AlarmType']} for code {alarm['AlarmCode']}, which is of type {kind}"
            )


def power_sums(body: Body, _: Body) -> Iterator[Violation]:
    """Connectors make their equipment's power, equipment the station's, but for rounding."""
    for station in body["SupStationPowerInfos"]:
        machines = station["EquipmentPowerInfos"]
        for machine in machines:
            parts = [part["ConnectorRealTimePower"] for part in machine["ConnectorPowerInfos"]]
            where = f"EquipRealTimePower of {machine['EquipmentID']}"
            yield from _nearly(where, parts, machine["EquipRealTimePower"])
        parts = [machine["EquipRealTimePower"] for machine in machines]
        yield from _nearly(
            f"StationRealTimePower of {station['StationID']}", parts, station["StationRealTimePower"]
        )


RULES: dict[str, Rule] = {
    "times": times,
    "details": details,
    "totals": totals,
    "meter": meter,
    "periods": periods,
    "outcome": outcome,
    "checked-sums": checked_sums,
    "echoed": echoed,
    "page": page,
    "assets": assets,
    "pushed-assets": pushed_assets,
    "asked-stations": asked_stations,
    "asked-station": asked_station,
    "stats-sums": stats_sums,
    "policy": policy,
    "alarms": alarms,
    "power-sums": power_sums,
}


def _in_order(body: Body, parts: list[Any]) -> Iterator[Violation]:
    before = body["StartTime"]
    for n, part in enumerate(parts):
        start, end = part["DetailStartTime"], part["DetailEndTime"]
        if start < before:
            yield Violation(f"ChargeDetails[{n}].DetailStartTime", f"{start} is before {before}")
        if end < start:
            yield Violation(f"ChargeDetails[{n}].DetailEndTime", f"{end} is before its start {start}")
        before = end
    if before > body["EndTime"]:
        where = f"ChargeDetails[{len(parts) - 1}].DetailEndTime"
        yield Violation(where, f"{before} is after EndTime {body['EndTime']}")


def _priced(where: str, part: Body) -> Iterator[Violation]:
    """Price times energy is the money, but for the rounding of both; a price of 0 is not known."""
    for price, money in (
        (part.get("ElecPrice"), part.get("DetailElecMoney")),
        (_value(part, SERVICE_PRICE), _value(part, DETAIL_SERVICE)),
    ):
        if price and money is not None and abs(price * part["DetailPower"] - money) > 2 * UNIT * (1 + price):
            yield Violation(where, f"{part['DetailPower']} kWh at {price} is not {money}")


def _assets(stations: list[Any]) -> Iterator[Violation]:
    machines = [machine for station in stations for machine in station["EquipmentInfos"]]
    connectors = [one for machine in machines for one in machine["ConnectorInfos"]]
    yield from _once("StationID", [one["StationID"] for one in stations])
    yield from _once("EquipmentID", [one["EquipmentID"] for one in machines])
    yield from _once("ConnectorID", [one["ConnectorID"] for one in connectors])
    for one in connectors:
        if one["VoltageLowerLimits"] > one["VoltageUpperLimits"]:
            yield Violation("VoltageLowerLimits", f"above VoltageUpperLimits at {one['ConnectorID']}")


def _value(body: Body, names: Iterable[str]) -> Any:
    return next((body[name] for name in names if name in body), None)


def _adds_up(name: str, parts: Iterable[Any], whole: Any) -> Iterator[Violation]:
    total = sum(parts)
    if whole is not None and total != whole:
        yield Violation(name, f"{total} in sum, {whole} as a whole")


def _nearly(name: str, parts: list[Any], whole: Any) -> Iterator[Violation]:
    # A part may have been rounded by half of its last digit, which is not stated: take 0.1 kW for it.
    if abs(sum(parts) - whole) > (len(parts) + 1) * Decimal("0.05"):
        yield Violation(name, f"{sum(parts)} in sum, {whole} as a whole")


def _once(name: str, values: list[str]) -> Iterator[Violation]:
    for value, count in Counter(values).items():
        if count > 1:
            yield Violation(name, f"{value} stands {count} times")


def _time(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%d %H:%M:%S")
