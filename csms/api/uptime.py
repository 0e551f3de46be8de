"""/reports/uptime, /reports/nevi-sessions and /reports/nevi-outages: availability by each regime's rule."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from pydantic import Field
from starlette.responses import StreamingResponse

from csms.api.attachments import csv_file
from csms.api.auth import READERS, AskedOperator, Own, Who, operation
from csms.api.forms import Identity, Page, View, with_examples
from csms.api.paging import After, Limit
from csms.api.parts import ApiParts, Parts
from csms.api.platform import Minutes, OwnRates, ShenzhenRates, csv_operation, wants_csv
from csms.domain import rates, uptime
from csms.store.nevi import QuarterFilter, quarter_of
from csms.store.times import micros, text_of
from csms.store.uptime import REGIMES, UptimeFilter, flat_port, nevi_outages

router = APIRouter(prefix="/reports", tags=["Availability"])

EXAMPLE: dict[str, Any] = {
    "charging_station": "CS-0001",
    "evse": 1,
    "connector": 1,
    "operator": "123456789",
    "site": "S01",
    "month": "2026-01",
    "time_zone": "Asia/Shanghai",
    "from": "2025-12-31T16:00:00.000Z",
    "to": "2026-01-31T16:00:00.000Z",
    "minutes": {
        "charging": 0.0,
        "occupied": 0.0,
        "free": 40800.0,
        "reserved": 0.0,
        "offline": 1440.0,
        "fault": 2400.0,
        "unknown": 0.0,
        "in_service": 44640.0,
    },
    "cn": {
        "own": {
            "online_rate": 96.7742,
            "fault_rate": 5.5556,
            "available_rate": 91.3978,
            "time_use_rate": 0.0,
            "power_use_rate": 0.0,
        },
        "shenzhen": {"time_use_rate": 0.0, "fault_rate": 33.33},
    },
    "nevi": {
        "month": {
            "in_service_minutes": 44640.0,
            "outage_minutes": 3840.0,
            "excluded_minutes": 1560.0,
            "uptime": 94.8925,
        },
        "twelve_months": {
            "in_service_minutes": 51840.0,
            "outage_minutes": 3840.0,
            "excluded_minutes": 1560.0,
            "uptime": 99.5662,
            "uptime_in_service": 95.6019,
        },
        "outages": [
            {
                "from": "2026-01-02T16:00:00.000Z",
                "to": "2026-01-03T16:00:00.000Z",
                "minutes": 1440.0,
                "excluded_minutes": 0.0,
            }
        ],
    },
    "uk": {
        "month": {"accessible_minutes": 44160.0, "unreliable_minutes": 2400.0, "reliability": 94.5652},
        "year": {"accessible_minutes": 44160.0, "unreliable_minutes": 2400.0, "reliability": 94.5652},
        "rapid": True,
    },
}
SESSION_COLUMNS = (
    *("charging_station", "port", "session_id", "started_at", "ended_at", "successful", "error_codes"),
    *("energy_kwh", "peak_kw", "payment_method"),
)
OUTAGE_COLUMNS = (
    *("charging_station", "port", "month", "uptime_percent", "outage_minutes", "excluded_minutes"),
    *("outage_from", "outage_to", "outage_duration_minutes", "outage_excluded_minutes"),
)
SESSION_PAGE = 50


class Cn(View):
    """By our definitions, and by Shenzhen's."""

    own: OwnRates
    shenzhen: ShenzhenRates


class NeviSpan(View):
    """A port in a span of time."""

    in_service_minutes: float
    outage_minutes: float = Field(description="T_outage: off-line, faulted, unavailable or unknown.")
    excluded_minutes: float = Field(description="T_excluded: the part of it that exclusions cover.")
    uptime: float | None = Field(
        description="Percent: of a month over its time in service; of twelve months as in the rule's formula."
    )
    uptime_in_service: float | None = Field(default=None, description="Percent of the time in service.")


class Outage(View):
    """One outage of the month."""

    since: str = Field(alias="from")
    until: str = Field(alias="to")
    minutes: float
    excluded_minutes: float


class Nevi(View):
    """23 CFR 680.112 and 680.116; above 97 % is demanded of the twelve months."""

    month: NeviSpan
    twelve_months: NeviSpan = Field(description="The twelve months that end with this one.")
    outages: list[Outage]


class UkSpan(View):
    """A charge point in a span of time."""

    accessible_minutes: float
    unreliable_minutes: float = Field(description="INOPERATIVE or OUTOFORDER while accessible.")
    reliability: float | None = Field(description="Percent.")


class Uk(View):
    """SI 2023/1168; 99 % is demanded of an operator's rapid network over the calendar year, on average."""

    month: UkSpan
    year: UkSpan = Field(description="The calendar year, up to the end of this month.")
    rapid: bool | None = Field(description="50 kW or more; null where the rated power is unknown.")


class PortMonth(View):
    """A connector in a month, by every regime that was asked for."""

    charging_station: str
    evse: int
    connector: int
    operator: str | None
    site: str | None
    month: str
    time_zone: str
    since: str = Field(alias="from", description="In service from here,")
    until: str = Field(alias="to", description="to here, within the month and up to now.")
    minutes: Minutes
    cn: Cn | None = None
    nevi: Nevi | None = None
    uk: Uk | None = None

    model_config = with_examples(EXAMPLE)


class Uptime(Page[PortMonth]):
    """A page of ports, with what each regime means by its figures."""

    definitions: dict[str, Any] = Field(description="What the figures mean, by regime.")


DEFINITIONS = {"cn": rates.DEFINITIONS, **uptime.DEFINITIONS}
Station = Annotated[Identity | None, Query(description="Only of this charging station.")]
Month = Annotated[
    str, Query(pattern=r"^[0-9]{4}-[0-9]{2}$", description="By operators' clocks.", examples=["2026-01"])
]
Quarter = Annotated[
    str, Query(pattern=r"^[0-9]{4}Q[1-4]$", description="By operators' clocks.", examples=["2026Q1"])
]


@router.get(
    "/uptime",
    summary="Availability of connectors in a month, by regime",
    response_model=Uptime,
    response_model_exclude_none=False,
    **operation(READERS, 404, by_site=True),
)
async def uptime_of_month(
    request: Request,
    parts: Parts,
    who: Who,
    operator: AskedOperator,
    own: Own,
    limit: Limit,
    month: Month,
    regime: Annotated[
        Literal["nevi", "uk", "cn", "all"], Query(description="Whose definition of up; all, side by side.")
    ] = "all",
    station: Station = None,
    after: After = None,
) -> Any:
    """By station, EVSE and connector; connectors that were in service in the month. A page has the
    connectors of at most 20 stations. With `Accept: text/csv` the answer is a CSV file of everything that
    is selected.
    """
    regimes = REGIMES if regime == "all" else (regime,)
    wanted = UptimeFilter(month, regimes, station, operator, own)
    if wants_csv(request):
        columns = tuple(
            flat_port({name: EXAMPLE[name] for name in EXAMPLE if name not in set(REGIMES) - {*regimes}})
        )
        table = ("uptime", columns, _ports(parts, wanted))
        return await csv_file(parts, request, who, table, wanted, f"uptime-{month}.csv")
    page = await parts.availability.reports.find(wanted, parts.now(), after, limit)
    return {**page._asdict(), "definitions": {name: DEFINITIONS[name] for name in regimes}}


@router.get(
    "/nevi-sessions",
    summary="Sessions of a quarter, 23 CFR 680.112(a)",
    response_class=StreamingResponse,
    **csv_operation(READERS, SESSION_COLUMNS, 404, by_site=True),
)
async def nevi_sessions(
    request: Request,
    parts: Parts,
    who: Who,
    operator: AskedOperator,
    own: Own,
    quarter: Quarter,
    station: Station = None,
) -> StreamingResponse:
    """A CSV file: session by session start, end, error codes of unsuccessful ones, energy in kWh, peak
    power in kW and payment method. Uptime and outages of the same quarter are in `nevi-outages`.
    """
    wanted = QuarterFilter(quarter, station, operator, own)
    quarter_of(quarter, "UTC")  # refuse before the answer has begun
    table = ("nevi-sessions", SESSION_COLUMNS, _sessions(parts, wanted))
    return await csv_file(parts, request, who, table, wanted, f"nevi-sessions-{quarter}.csv")


@router.get(
    "/nevi-outages",
    summary="Uptime and outages of ports in a quarter, 23 CFR 680.112(a)",
    response_class=StreamingResponse,
    **csv_operation(READERS, OUTAGE_COLUMNS, 404, by_site=True),
)
async def nevi_outage_list(
    request: Request,
    parts: Parts,
    who: Who,
    operator: AskedOperator,
    own: Own,
    quarter: Quarter,
    station: Station = None,
) -> StreamingResponse:
    """A CSV file: for each port and month its uptime (twelve months that end with it), T_outage and
    T_excluded of the month, and a line for every outage; one line where there was none.
    """
    quarter_of(quarter, "UTC")
    wanted = UptimeFilter(quarter, ("nevi",), station, operator, own)
    table = ("nevi-outages", OUTAGE_COLUMNS, _outages(parts, wanted))
    return await csv_file(parts, request, who, table, wanted, f"nevi-outages-{quarter}.csv")


async def _ports(parts: ApiParts, wanted: UptimeFilter) -> AsyncIterator[list[dict[str, Any]]]:
    after: str | None = None
    now = parts.now()
    while True:
        page = await parts.availability.reports.find(wanted, now, after)
        yield [flat_port(item) for item in page.items]
        after = page.next
        if after is None:
            return


async def _sessions(parts: ApiParts, wanted: QuarterFilter) -> AsyncIterator[list[dict[str, Any]]]:
    after: str | None = None
    while True:
        items, after = await parts.availability.nevi_sessions.find(wanted, after, SESSION_PAGE)
        yield [
            item._asdict()
            | {
                "started_at": text_of(micros(item.started_at)),
                "ended_at": None if item.ended_at is None else text_of(micros(item.ended_at)),
            }
            for item in items
        ]
        if after is None:
            return


async def _outages(parts: ApiParts, asked: UptimeFilter) -> AsyncIterator[list[dict[str, Any]]]:
    quarter = asked.month
    first = 3 * int(quarter[-1]) - 2
    for month in (f"{quarter[:4]}-{number:02}" for number in range(first, first + 3)):
        wanted, after = replace(asked, month=month), None
        now = parts.now()
        while True:
            page = await parts.availability.reports.find(wanted, now, after)
            yield [row for item in page.items for row in nevi_outages(item)]
            after = page.next
            if after is None:
                break
