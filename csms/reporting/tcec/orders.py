"""A charge order in the platforms' words: totals, and details by period that add up to them. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal, NamedTuple

from csms.reporting.tcec.envelope import local_time
from csms.reporting.tcec.identifiers import connector_id, equipment_id, station_id
from csms.reporting.tcec.profile import Profile
from csms.reporting.tcec.pushes import OrderPush
from csms.reporting.tcec.wording import (
    NOWHERE,
    Place,
    Record,
    Table,
    apportioned,
    body_of,
    finite,
    kilo,
    kilo_or_none,
    money_or_none,
    rounded,
    seq_of_right_length,
    shown,
    with_zone,
)

MOST_DETAILS = 32  # SumPeriod: 0 to 32
PRICE_PLACES = 4


@dataclass(frozen=True, slots=True)
class OrderDetail:
    """Energy (Wh) and money (CNY) of one time at one price. Times in UTC; prices in CNY/kWh."""

    start: datetime
    end: datetime
    energy_wh: int
    period: Literal["sharp", "peak", "flat", "valley"] = "flat"
    elec_price: Decimal | None = None
    service_price: Decimal | None = None
    elec_money: Decimal | None = None
    service_money: Decimal | None = None

    def __post_init__(self) -> None:
        with_zone(self.start, self.end)
        finite((self.elec_price, self.service_price, self.elec_money, self.service_money))


@dataclass(frozen=True, slots=True)
class ChargeOrder(Record):
    """A session that is over. Times in UTC; energies in Wh; money in CNY, None where no tariff is set.

    `start_charge_seq` (27 characters) names the order for good; a correction is the same order with a
    higher `revision`. `stop_reason` is our own word for it. `connector_id` is derived when ''. Personal data
    (`phone`, `plate`, `vin`, `user_name`) is told only where the profile asks for it.
    """

    start_charge_seq: str
    operator_id: str
    site_code: str
    identity: str
    evse: int
    connector: int
    started_at: datetime
    ended_at: datetime
    energy_wh: int | None
    stop_reason: str = ""
    connector_id: str = ""
    elec_money: Decimal | None = None
    service_money: Decimal | None = None
    money: Decimal | None = None
    idle_money: Decimal | None = None
    details: tuple[OrderDetail, ...] = ()
    meter_start_wh: int | None = None
    meter_stop_wh: int | None = None
    connector_power_w: int | None = None
    revision: int = 1
    phone: str = ""
    plate: str = ""
    vin: str = ""
    user_name: str = ""
    paid_by: str = ""
    told_at: datetime | None = None
    place: Place = NOWHERE

    def __post_init__(self) -> None:
        seq_of_right_length(self.start_charge_seq)
        with_zone(self.started_at, self.ended_at, self.told_at)
        finite((self.elec_money, self.service_money, self.money, self.idle_money))


class _Rounded(NamedTuple):
    """A detail's numbers as they are told."""

    detail: OrderDetail
    energy: Decimal
    elec_money: Decimal
    service_money: Decimal


def registers(order: ChargeOrder) -> tuple[int, int]:
    """Meter registers at start and end, Wh. One not known is made so that they differ by the energy."""
    energy = order.energy_wh or 0
    start, stop = order.meter_start_wh, order.meter_stop_wh
    if start is None:
        start = max(stop - energy, 0) if stop is not None else 0
    return start, start + energy if stop is None else stop


def merged(details: Sequence[OrderDetail]) -> list[OrderDetail]:
    """At most 32, one after the other: beyond that, neighbours are told as one.

    First those that cost the same, then those with the least energy; what they cost together is the average
    by energy, to four places.
    """
    groups = [[one] for one in details]
    while len(groups) > MOST_DETAILS:
        n = min(range(len(groups) - 1), key=lambda n: _loss(groups[n], groups[n + 1]))
        groups[n : n + 2] = [groups[n] + groups[n + 1]]
    return [some[0] if len(some) == 1 else _together(some) for some in groups]


def _loss(some: Sequence[OrderDetail], others: Sequence[OrderDetail]) -> tuple[bool, int]:
    """How much is no longer told when these are told as one."""
    prices = {(one.period, one.elec_price, one.service_price) for one in (*some, *others)}
    return len(prices) > 1, sum(one.energy_wh for one in (*some, *others))


def _together(some: Sequence[OrderDetail]) -> OrderDetail:
    return replace(
        some[0],
        end=max(one.end for one in some),
        energy_wh=sum(one.energy_wh for one in some),
        elec_price=_average([(one.elec_price, one.energy_wh) for one in some]),
        service_price=_average([(one.service_price, one.energy_wh) for one in some]),
        elec_money=sum((one.elec_money or Decimal(0) for one in some), Decimal(0)),
        service_money=sum((one.service_money or Decimal(0) for one in some), Decimal(0)),
    )


def _average(prices: Sequence[tuple[Decimal | None, int]]) -> Decimal | None:
    """By energy; the first price where nothing flowed."""
    known = [(price, wh) for price, wh in prices if price is not None]
    total = sum(wh for _, wh in known)
    if not total or len({price for price, _ in known}) == 1:
        return known[0][0] if known else None
    return rounded(sum((price * wh for price, wh in known), Decimal(0)) / total, PRICE_PLACES)


def rounded_details(order: ChargeOrder, profile: Profile) -> list[_Rounded]:
    """Details whose told numbers add up to the told totals. Raises BadRecord when they contradict them."""
    details = merged(order.details)
    if not details:
        return []
    energies, cents = _energies(details, order, profile), profile.decimals.money
    elec = _money_parts([one.elec_money for one in details], order.elec_money, cents)
    service = _money_parts([one.service_money for one in details], order.service_money, cents)
    return [_Rounded(*row) for row in zip(details, energies, elec, service, strict=True)]


def _energies(details: Sequence[OrderDetail], order: ChargeOrder, profile: Profile) -> list[Decimal]:
    places = profile.decimals.energy
    parts = [Decimal(one.energy_wh).scaleb(-3) for one in details]
    return apportioned(parts, kilo(order.energy_wh or 0, places), places)


def _money_parts(parts: Sequence[Decimal | None], total: Decimal | None, places: int) -> list[Decimal]:
    known = [part or Decimal(0) for part in parts]
    return apportioned(known, rounded(sum(known, Decimal(0)) if total is None else total, places), places)


DETAIL: Table[_Rounded] = {
    "DetailStartTime": lambda d, p: local_time(d.detail.start),
    "DetailEndTime": lambda d, p: local_time(d.detail.end),
    "ElecPrice": lambda d, p: rounded(d.detail.elec_price or Decimal(0), p.decimals.price),
    "ServicePrice": lambda d, p: rounded(d.detail.service_price or Decimal(0), p.decimals.price),
    "DetailPower": lambda d, p: d.energy,
    "DetailElecMoney": lambda d, p: d.elec_money,
    "DetailServiceMoney": lambda d, p: d.service_money,
}


def _energy_in(order: ChargeOrder, profile: Profile, period: str) -> Decimal | None:
    """kWh of a period, of the details as they are; not known where there are none."""
    if not order.details:
        return None
    told = zip(order.details, _energies(order.details, order, profile), strict=True)
    return sum(
        (energy for one, energy in told if one.period == period), rounded(Decimal(0), profile.decimals.energy)
    )


ORDER: Table[ChargeOrder] = {
    "StartChargeSeq": lambda o, p: o.start_charge_seq,
    "OrderNo": lambda o, p: o.start_charge_seq,
    "ConnectorID": lambda o, p: (
        o.place.connector_id or o.connector_id or connector_id(o.identity, o.evse, o.connector)
    ),
    "StartTime": lambda o, p: local_time(o.started_at),
    "EndTime": lambda o, p: local_time(o.ended_at),
    "TotalPower": lambda o, p: kilo_or_none(o.energy_wh, p.decimals.energy),
    "TotalElecMoney": lambda o, p: money_or_none(o.elec_money, p),
    "TotalServiceMoney": lambda o, p: money_or_none(o.service_money, p),
    "TotalMoney": lambda o, p: money_or_none(o.money, p),
    "StopReason": lambda o, p: p.stop_code(o.stop_reason),
    "StopDesc": lambda o, p: o.stop_reason or None,
    "SumPeriod": lambda o, p: len(merged(o.details)) or None,
    "ChargeDetails": lambda o, p: None,  # by `body`: their fields are the push's
    "ChargeModel": lambda o, p: 0,
    "UserName": lambda o, p: shown(p.privacy.user_name, o.user_name),
    "Phone": lambda o, p: shown(p.privacy.phone, o.phone),
    "LicensePlate": lambda o, p: shown(p.privacy.plate, o.plate),
    "Vin": lambda o, p: shown(p.privacy.vin, o.vin),
    "OperatorID": lambda o, p: o.operator_id,
    "EquipmentOwnerID": lambda o, p: o.place.owner_id or o.operator_id,
    "StationID": lambda o, p: o.place.station_id or station_id(o.site_code),
    "EquipmentID": lambda o, p: o.place.equipment_id or equipment_id(o.identity),
    "ConnectorPower": lambda o, p: kilo(o.connector_power_w or 0, p.decimals.power),
    "ChargeLast": lambda o, p: max(0, int((o.ended_at - o.started_at).total_seconds())),
    "MeterValueStart": lambda o, p: kilo(registers(o)[0], p.decimals.meter),
    "MeterValueEnd": lambda o, p: kilo(registers(o)[1], p.decimals.meter),
    "SharpEnergy": lambda o, p: _energy_in(o, p, "sharp"),
    "PeakEnergy": lambda o, p: _energy_in(o, p, "peak"),
    "FlatEnergy": lambda o, p: _energy_in(o, p, "flat"),
    "ValleyEnergy": lambda o, p: _energy_in(o, p, "valley"),
    # What is paid is what it costs: discounts are not known here.
    "PaymentAmount": lambda o, p: money_or_none(o.money, p),
    "PayTime": lambda o, p: local_time(o.ended_at),
    "PayChannel": lambda o, p: p.code("pay-channel", o.paid_by or "otherwise"),
    "DiscountInfo": lambda o, p: None,
    "PushTime": lambda o, p: local_time(o.told_at or o.ended_at),
    "AccountDate": lambda o, p: local_time(o.ended_at)[:10],
    "Revision": lambda o, p: o.revision,
}


def body(order: ChargeOrder, push: OrderPush, profile: Profile) -> dict[str, Any]:
    """The order with its details, in the push's order of fields."""
    told = body_of(order, ORDER, profile, push.fields, push.required)
    details = rounded_details(order, profile)
    if details and "ChargeDetails" in push.fields:
        told["ChargeDetails"] = [body_of(one, DETAIL, profile, push.details) for one in details]
    return {name: told[name] for name in push.fields if name in told}
