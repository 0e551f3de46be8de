"""What a city's desk does with a push once it is opened: check every field, write the ledger, answer."""

import re
from collections.abc import Callable
from typing import Any

from simulators.city_faults import Interface
from simulators.city_ledger import Ledger, watt_hours

STATUSES = (0, 1, 2, 3, 4, 255)
TIME = re.compile(r"\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}")
Body = dict[str, Any]


class Refusal(Exception):
    """An answer of the protocol that is no success: Ret and Msg."""

    def __init__(self, ret: int, msg: str) -> None:
        super().__init__(ret, msg)
        self.ret, self.msg = ret, msg


def take_order(ledger: Ledger, operator: str, order: Body, fault: str | None) -> Body:
    """A charge order. Raises Refusal 4004."""
    _need_name(order, "StartChargeSeq", 27)
    need(len(order["StartChargeSeq"]) == 27, "StartChargeSeq")
    _need_name(order, "ConnectorID", 26)
    _need_times(order)
    for name in ("TotalPower", "TotalElecMoney", "TotalMoney"):
        _need_amount(order, name)
    # The 2016 edition misspells it; later dialects do not.
    _need_amount(order, "TotalSeviceMoney" if "TotalSeviceMoney" in order else "TotalServiceMoney")
    need(_is_whole(order.get("StopReason")), "StopReason")
    need(_is_whole(order.get("Revision", 1)), "Revision")
    ledger.count("order:" + ledger.take_order(operator, order, fault == "dispute"))
    return {
        "StartChargeSeq": order["StartChargeSeq"] if fault != "other-order" else operator + "0" * 18,
        "ConnectorID": order["ConnectorID"],
        "ConfirmResult": 1 if fault == "dispute" else 0,
    }


def take_status(ledger: Ledger, operator: str, body: Body, fault: str | None) -> Body:
    """One connector's status, or several in an array. Raises Refusal 4004."""
    several = body.get("ConnectorStatusInfos", [body.get("ConnectorStatusInfo")])
    need(isinstance(several, list) and bool(several), "ConnectorStatusInfo")
    for info in several:
        need(isinstance(info, dict), "ConnectorStatusInfo")
        _need_name(info, "ConnectorID", 26)
        need(_is_whole(info.get("Status")) and info["Status"] in STATUSES, "Status")
    if fault == "ignore":
        return {"Status": 1}
    for info in several:
        ledger.take_status(operator, info["ConnectorID"], info["Status"])
    return {"Status": 0}


def take_hour(ledger: Ledger, operator: str, body: Body, fault: str | None) -> Body:
    """A site's hour. Raises Refusal 4004."""
    stats = body.get("StationStats")
    if not isinstance(stats, dict):
        raise Refusal(4004, "StationStats")
    _need_name(stats, "StationID", 20)
    _need_times(stats)
    _need_amount(stats, "StationElectricity")
    need(_is_whole(stats.get("Revision", 1)), "Revision")
    if fault == "ignore":
        return {"Status": 1}
    ledger.count("hour:" + ledger.take_hour(operator, stats))
    return {"Status": 0}


TAKE: dict[Interface, Callable[[Ledger, str, Body, str | None], Body]] = {
    "status": take_status,
    "order": take_order,
    "hour": take_hour,
}


def need(holds: bool, name: str) -> None:
    """Raises Refusal 4004 naming the field."""
    if not holds:
        raise Refusal(4004, name)


def _need_name(body: Body, name: str, most: int) -> None:
    value = body.get(name)
    need(isinstance(value, str) and 0 < len(value) <= most, name)


def _need_times(body: Body) -> None:
    for name in ("StartTime", "EndTime"):
        need(isinstance(body.get(name), str) and TIME.fullmatch(body[name]) is not None, name)


def _need_amount(body: Body, name: str) -> None:
    try:
        need(watt_hours(body.get(name)) >= 0, name)
    except (ValueError, ArithmeticError) as exc:
        raise Refusal(4004, name) from exc


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
