"""check_charge_orders: a day's orders and their sums, and what the platform disputes of them. Pure."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from csms.reporting.tcec.envelope import local_time
from csms.reporting.tcec.profile import Profile
from csms.reporting.tcec.wording import Record, finite, kilo, rounded, seq_of_right_length, with_zone


@dataclass(frozen=True, slots=True)
class CheckedOrder:
    """An order as it was told last. Wh; CNY, None where no tariff was set."""

    start_charge_seq: str
    energy_wh: int
    money: Decimal | None = None


@dataclass(frozen=True, slots=True)
class OrderCheck(Record):
    """Every order that ended on a day of China's, from `start` (UTC) to `end`."""

    check_order_seq: str
    operator_id: str
    start: datetime
    end: datetime
    orders: tuple[CheckedOrder, ...] = ()

    def __post_init__(self) -> None:
        seq_of_right_length(self.check_order_seq, "check_order_seq")
        with_zone(self.start, self.end)
        finite(order.money for order in self.orders)


@dataclass(frozen=True, slots=True)
class Dispute:
    """An order the platform disputes, with its own figures (kWh, CNY) as they came."""

    start_charge_seq: str
    total_power: str
    total_money: str
    reason: int | None


def check_order_seq(operator_code: str, day: date, part: int = 0) -> str:
    """27 characters: the operator, the day, the part; nothing that changes when it is sent again."""
    return f"{operator_code:0>9.9}{day:%Y%m%d}{part:010d}"


def body(check: OrderCheck, profile: Profile) -> dict[str, Any]:
    """Sums of what stands below them, as it was rounded when it was told."""
    orders: list[dict[str, Any]] = [
        {
            "StartChargeSeq": one.start_charge_seq,
            "TotalPower": kilo(one.energy_wh, profile.decimals.energy),
            "TotalMoney": rounded(one.money or Decimal(0), profile.decimals.money),
        }
        for one in check.orders
    ]
    return {
        "CheckOrderSeq": check.check_order_seq,
        "StartTime": local_time(check.start),
        "EndTime": local_time(check.end),
        "OrderCount": len(orders),
        "TotalOrderPower": sum((one["TotalPower"] for one in orders), kilo(0, profile.decimals.energy)),
        "TotalOrderMoney": sum(
            (one["TotalMoney"] for one in orders), rounded(Decimal(0), profile.decimals.money)
        ),
        "ChargeOrders": orders,
    }


def disputes_of(answer: dict[str, Any]) -> list[Dispute]:
    """What the platform's answer disputes; entries without an order's name are left out."""
    told = answer.get("DisputeOrders")
    return [
        Dispute(
            one["StartChargeSeq"],
            str(one.get("TotalPower", "")),
            str(one.get("TotalMoney", "")),
            reason if isinstance(reason := one.get("DisputeReason"), int) else None,
        )
        for one in (told if isinstance(told, list) else [])
        if isinstance(one, dict) and isinstance(one.get("StartChargeSeq"), str)
    ]
