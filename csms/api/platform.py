"""/platform/totals: what a supervision platform pulls, as JSON or CSV, every rate with its definition."""

from collections.abc import AsyncIterator
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from pydantic import Field

from csms.api.attachments import csv_file
from csms.api.auth import EVERYONE, Principal, Role, Who, operation, platforms_of
from csms.api.forms import Page, View, with_examples
from csms.api.paging import After, Limit, TimeSpan
from csms.api.parts import ApiParts, Parts
from csms.domain.rates import DEFINITIONS
from csms.store.platform_lines import PlatformFilter
from csms.store.platform_subjects import Scope

router = APIRouter(prefix="/platform", tags=["City platform"])

EXAMPLE: dict[str, Any] = {
    "by": "day",
    "of": "district",
    "id": "110105",
    "operator": None,
    "time_zone": "Asia/Shanghai",
    "start": "2026-01-04T16:00:00.000Z",
    "end": "2026-01-05T16:00:00.000Z",
    "energy_wh": 42000,
    "sessions": 2,
    "charging_s": 14400,
    "minutes": {
        "charging": 120.0,
        "occupied": 0.0,
        "free": 1680.0,
        "reserved": 0.0,
        "offline": 360.0,
        "fault": 720.0,
        "unknown": 0.0,
        "in_service": 2880.0,
    },
    "minutes_until": "2026-01-05T16:00:00.000Z",
    "peak_power_w": 22000,
    "peak_power_basis": "measured",
    "own": {
        "online_rate": 87.5,
        "fault_rate": 28.5714,
        "available_rate": 62.5,
        "time_use_rate": 4.1667,
        "power_use_rate": 1.4583,
    },
    "shenzhen": {"time_use_rate": 8.33, "fault_rate": 33.33},
}
KIND = Annotated[
    Literal["hour", "day", "month", "year"], Query(description="The length of a period, by local clocks.")
]
LEVEL = Annotated[
    Literal["connector", "equipment", "site", "operator", "district", "city"],
    Query(description="What is added up; equipment is a charging station, a district an area code."),
]


class Minutes(View):
    """How long connectors were in each state; minutes of all connectors together."""

    charging: float
    occupied: float = Field(description="Plugged in, not charging.")
    free: float
    reserved: float
    offline: float
    fault: float = Field(description="Faulted, or taken out of use.")
    unknown: float = Field(description="Before anything was told.")
    in_service: float = Field(description="All of them together.")


class OwnRates(View):
    """Percent over time in service; null where there is nothing to divide by."""

    online_rate: float | None = Field(description=DEFINITIONS["own"]["online_rate"])
    fault_rate: float | None = Field(description=DEFINITIONS["own"]["fault_rate"])
    available_rate: float | None = Field(description=DEFINITIONS["own"]["available_rate"])
    time_use_rate: float | None = Field(description=DEFINITIONS["own"]["time_use_rate"])
    power_use_rate: float | None = Field(
        description=DEFINITIONS["own"]["power_use_rate"] + "; null where a rated power is unknown"
    )


class ShenzhenRates(View):
    """Percent as Shenzhen's platform computes them; 0 where there is nothing to divide by."""

    time_use_rate: float = Field(description=DEFINITIONS["shenzhen"]["time_use_rate"])
    fault_rate: float = Field(description=DEFINITIONS["shenzhen"]["fault_rate"])


class PlatformTotal(View):
    """One subject in one period."""

    by: str
    of: str
    id: str = Field(description="IDENTITY/EVSE/CONNECTOR, identity, site's or operator's code, area code.")
    operator: str | None = Field(description="null for districts and cities.")
    time_zone: str = Field(
        description="By whose clock the period is. Operators of two clocks make two lines."
    )
    start: str
    end: str
    energy_wh: int
    sessions: int = Field(description="Sessions that started in it.")
    charging_s: int = Field(description="Seconds that sessions lasted, all together.")
    minutes: Minutes
    minutes_until: str | None = Field(description="Up to when `minutes` are computed; null: not yet.")
    peak_power_w: int | None = Field(
        description="Site: the largest sum of its sessions' powers at one moment. Operator, district, city:"
        " the sum of their sites' peaks. null below a site, and where there is none yet."
    )
    peak_power_basis: Literal["measured", "energy"] | None = Field(
        description="energy: a session in it measured no power; its energy was spread over its time."
    )
    own: OwnRates
    shenzhen: ShenzhenRates

    model_config = with_examples(EXAMPLE)


NESTED: dict[str, type[View]] = {"minutes": Minutes, "own": OwnRates, "shenzhen": ShenzhenRates}
COLUMNS = tuple(
    column
    for name in PlatformTotal.model_fields
    for column in ([f"{name}_{inner}" for inner in NESTED[name].model_fields] if name in NESTED else [name])
)


def flat(item: dict[str, Any]) -> dict[str, Any]:
    """Inner objects as columns of their own: `minutes_charging`, `own_online_rate`."""
    found: dict[str, Any] = {}
    for name, value in item.items():
        if isinstance(value, dict):
            found |= {f"{name}_{inner}": each for inner, each in value.items()}
        else:
            found[name] = value
    return found


def csv_operation(
    roles: tuple[Role, ...], columns: tuple[str, ...], *errors: int, by_site: bool = False
) -> dict[str, Any]:
    """As `operation`, for a list that is also given as CSV."""
    made = operation(roles, *errors, by_site=by_site)
    csv = {"schema": {"type": "string"}, "example": ",".join(columns) + "\r\n"}
    described = {
        "description": "A page as JSON, or with `Accept: text/csv` everything the filter selects.",
        "content": {"text/csv": csv},
    }
    return made | {"responses": {**made["responses"], 200: described}}


def wants_csv(request: Request) -> bool:
    """What is named first is wanted most; programs that send */* get JSON."""
    first = request.headers.get("accept", "").partition(",")[0].partition(";")[0]
    return first.strip().lower() == "text/csv"


@router.get(
    "/totals",
    summary="Energy, time by state and rates, as a platform pulls them",
    response_model=Page[PlatformTotal],
    **csv_operation(EVERYONE, COLUMNS),
)
async def list_totals(
    request: Request,
    parts: Parts,
    who: Who,
    span: TimeSpan,
    limit: Limit,
    by: KIND,
    of: LEVEL,
    subject: Annotated[
        str | None,
        Query(
            alias="id",
            min_length=1,
            max_length=128,
            pattern=r"^[^\x00-\x1f\x7f]+$",
            description="Of this one only.",
            examples=["110105"],
        ),
    ] = None,
    after: After = None,
) -> Any:
    """By start, then by what is added up. `from` and `to` select by the period's start; without `from` the
    last day of hours, month of days, year of months, five years. Every subject has a line in every period.
    A page may be shorter than `limit`, or empty, and have a page after it. A key of role `platform` sees
    the operators that its platform supervises: the one it is limited to, else that of the platform whose
    name it bears, else those of all configured platforms.
    """
    wanted = PlatformFilter(by, Scope(of, operators_of(parts, who), subject), *span)
    if wants_csv(request):
        table = ("platform-totals", COLUMNS, _pages(parts, wanted))
        return await csv_file(parts, request, who, table, wanted, f"{of}-{by}.csv")
    return (await parts.availability.totals.find(wanted, parts.now(), after, limit))._asdict()


def operators_of(parts: ApiParts, who: Principal) -> tuple[str, ...] | None:
    """Codes of the operators that exist for this key; None: all."""
    if who.operator is not None:
        return (who.operator,)
    if who.role is not Role.PLATFORM:
        return None
    return tuple(dict.fromkeys(one.operator for one in platforms_of(parts, who)))


async def _pages(parts: ApiParts, wanted: PlatformFilter) -> AsyncIterator[list[dict[str, Any]]]:
    after: str | None = None
    now = parts.now()  # the same for all pages: a period must not come into being between them
    while True:
        page = await parts.availability.totals.find(wanted, now, after, parts.settings.http.page_limit)
        yield [flat(item) for item in page.items]
        after = page.next
        if after is None:
            return
