"""What statements and receipts look like as JSON."""

from typing import Any, Literal

from pydantic import Field

from csms.api.costs import LINE, CostLine
from csms.api.forms import View, with_examples


class Person(View):
    """An operator as documents name it."""

    code: str | None
    name: str | None
    uscid: str | None = Field(description="Unified social credit identifier (GB 32100).")
    tel: str | None


class BilledSums(View):
    """Sums over sessions. Money is decimal text in CNY."""

    sessions: int
    unpriced: int = Field(description="Of these without a price; their energy is in no period.")
    energy_wh: int
    elec_money: str
    service_money: str
    idle_money: str
    parking_money: str
    total: str


class BilledSite(BilledSums):
    """Of one site; empty code for sessions of no site."""

    site: str
    name: str


class BilledDay(BilledSums):
    """Of one day by the operator's clock, by the sessions' start."""

    day: str


class BilledPeriod(View):
    """Of one class of hours."""

    period: Literal["sharp", "peak", "flat", "valley"]
    energy_wh: int
    elec_money: str
    service_money: str
    money: str


class Correction(View):
    """A session whose price was made, or changed, after the month was closed."""

    session_id: str
    start_charge_seq: str
    site: str | None
    started_at: str
    revision: int
    priced_at: str
    energy_wh_before: int | None
    energy_wh: int | None
    total_before: str | None = Field(description="null: it was not known when the month was closed.")
    total: str | None
    difference: str


class Disputed(View):
    """An order of the month that a platform disputes."""

    platform: str
    start_charge_seq: str
    session_id: str
    reason: int | str | None
    their_power: str
    their_money: str
    our_energy_wh: int | None
    our_money: str | None
    raised_at: str
    resolved_at: str | None


SUMS: dict[str, Any] = {
    "sessions": 2, "unpriced": 0, "energy_wh": 45000, "elec_money": "53.58", "service_money": "36.00",
    "idle_money": "0.00", "parking_money": "0.00", "total": "89.58",
}  # fmt: skip
PERSON = {
    "code": "123456789",
    "name": "Example Charging",
    "uscid": "91110000123456789X",
    "tel": "010-1234567",
}
STATEMENT: dict[str, Any] = {
    "operator": PERSON,
    "month": "2026-01",
    "time_zone": "Asia/Shanghai",
    "from": "2025-12-31T16:00:00.000Z",
    "to": "2026-01-31T16:00:00.000Z",
    "closes_at": "2026-02-03T16:00:00.000Z",
    "is_closed": True,
    "as_of": "2026-02-10T01:00:00.000Z",
    "currency": "CNY",
    "totals": SUMS,
    "total_when_closed": "89.58",
    "by_site": [{"site": "S01", "name": "Central Park", **SUMS}],
    "by_day": [{"day": "2026-01-01", **SUMS}],
    "by_period": [
        {
            "period": "peak",
            "energy_wh": 45000,
            "elec_money": "53.58",
            "service_money": "36.00",
            "money": "89.58",
        }
    ],
    "corrections": [],
    "corrections_in_all": 0,
    "corrected": "0.00",
    "disputes": [],
}


class StatementView(View):
    """A month's statement. Sums are exact: those of the session lines, to the Wh and the fen."""

    operator: Person
    month: str
    time_zone: str
    since: str = Field(alias="from", description="A session belongs to the month it started in.")
    until: str = Field(alias="to")
    closes_at: str = Field(description="What is priced from then on is listed as a correction.")
    is_closed: bool
    as_of: str
    currency: str
    totals: BilledSums = Field(description="As they are now, corrections included.")
    total_when_closed: str = Field(description="`total` without the corrections.")
    by_site: list[BilledSite]
    by_day: list[BilledDay]
    by_period: list[BilledPeriod]
    corrections: list[Correction] = Field(description="At most 2,000.")
    corrections_in_all: int
    corrected: str = Field(description="The differences of all corrections together.")
    disputes: list[Disputed]

    model_config = with_examples(STATEMENT)


class Place(View):
    """A site as receipts name it."""

    code: str | None
    name: str | None
    address: str | None


class ReceiptView(View):
    """What was drawn when and what it cost. Lines are those in which energy flowed."""

    session_id: str
    start_charge_seq: str
    operator: Person
    site: Place
    charging_station: str
    evse: int
    connector: int
    id_token: str
    state: str
    started_at: str
    ended_at: str | None
    time_zone: str = Field(description="The operator's; times here are UTC all the same.")
    meter_start_wh: int | None
    meter_stop_wh: int | None
    energy_wh: int | None
    stop_reason: str | None
    quality: list[str]
    revision: int = Field(description="The higher one of the session's and its price's.")
    session_revision: int
    price_revision: int | None
    is_corrected: bool = Field(description="Whether an earlier revision said something else.")
    priced_at: str | None
    tariff: str | None
    currency: str | None
    elec_money: str | None
    service_money: str | None
    idle_minutes: int | None
    idle_money: str | None
    parking_minutes: int | None
    parking_money: str | None
    total: str | None
    lines: list[CostLine]
    as_of: str

    model_config = with_examples(
        {
            "session_id": "1767261600000001",
            "start_charge_seq": "123456789001767261600000001",
            "operator": PERSON,
            "site": {"code": "S01", "name": "Central Park", "address": "1 Park Road"},
            "charging_station": "CS-0001",
            "evse": 1,
            "connector": 1,
            "id_token": "A1",
            "state": "ended",
            "started_at": "2026-01-01T10:00:00.000Z",
            "ended_at": "2026-01-01T10:45:00.000Z",
            "time_zone": "Asia/Shanghai",
            "meter_start_wh": 1000,
            "meter_stop_wh": 23500,
            "energy_wh": 22500,
            "stop_reason": "local",
            "quality": [],
            "revision": 1,
            "session_revision": 1,
            "price_revision": 1,
            "is_corrected": False,
            "priced_at": "2026-01-01T10:45:02.000Z",
            "tariff": "PUBLIC-2026",
            "currency": "CNY",
            "elec_money": "26.79",
            "service_money": "18.00",
            "idle_minutes": 0,
            "idle_money": "0.00",
            "parking_minutes": 0,
            "parking_money": "0.00",
            "total": "44.79",
            "lines": [LINE],
            "as_of": "2026-01-02T00:00:00.000Z",
        }
    )
