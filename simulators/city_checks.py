"""Reconciliation: an operator's list of a day's orders against the city's own ledger.

The standard's meanings of DisputeReason are not known; these are ours. 1: the city does not have the order.
2: another energy. 3: another amount of money. 4: the city has an order of the period that is not in the list.
5: the city disputed the order when it came. An order the city has is told with the city's figures.
"""

from decimal import Decimal
from typing import Any

from simulators.city_ledger import ENERGY, Ledger

UNKNOWN, ENERGY_DIFFERS, MONEY_DIFFERS, NOT_LISTED, DISPUTED = 1, 2, 3, 4, 5


def reconcile(ledger: Ledger, operator: str, check: dict[str, Any]) -> dict[str, Any]:
    """The answer of check_charge_orders."""
    listed = {order["StartChargeSeq"]: order for order in check["ChargeOrders"]}
    disputes = [
        dispute
        for seq, told in listed.items()
        if (dispute := _compared(seq, told, ledger.order(operator, seq)))
    ]
    # An order that began before the period may belong to the list of the day before.
    for kept in ledger.orders_between(operator, check["StartTime"], check["EndTime"]):
        if kept["key"] not in listed:
            disputes.append(_dispute(kept["key"], *_figures(kept), NOT_LISTED))
    return {
        "CheckOrderSeq": check["CheckOrderSeq"],
        "StartTime": check["StartTime"],
        "EndTime": check["EndTime"],
        "TotalDisputeOrder": len(disputes),
        "TotalDisputePower": sum((one["TotalPower"] for one in disputes), Decimal(0)),
        "TotalDisputeMoney": sum((one["TotalMoney"] for one in disputes), Decimal(0)),
        "DisputeOrders": disputes,
    }


def _compared(seq: str, told: dict[str, Any], kept: dict[str, Any] | None) -> dict[str, Any] | None:
    power, money = Decimal(told["TotalPower"]), Decimal(told["TotalMoney"])
    if kept is None:
        return _dispute(seq, power, money, UNKNOWN)
    ours = _figures(kept)
    if ours[0] != power:
        return _dispute(seq, *ours, ENERGY_DIFFERS)
    if ours[1] != money:
        return _dispute(seq, *ours, MONEY_DIFFERS)
    return _dispute(seq, *ours, DISPUTED) if kept["disputed"] else None


def _figures(kept: dict[str, Any]) -> tuple[Decimal, Decimal]:
    body = kept["body"]
    energy = next(body[name] for name in ENERGY if name in body)
    return Decimal(str(energy)), Decimal(str(body["TotalMoney"]))


def _dispute(seq: str, power: Decimal, money: Decimal, reason: int) -> dict[str, Any]:
    return {"StartChargeSeq": seq, "TotalPower": power, "TotalMoney": money, "DisputeReason": reason}
