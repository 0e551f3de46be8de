"""/reports/totals: figures for charts, every subject's in every period, in one answer."""

from datetime import date
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import Field

from csms.api.auth import READERS, AskedOperator, operation
from csms.api.forms import Code, View, ZoneName, with_examples
from csms.api.parts import Parts
from csms.api.problems import invalid
from csms.store.chart_totals import ChartFilter

router = APIRouter(prefix="/reports", tags=["Reports"])

FIRST, LAST = date(2000, 1, 1), date(2200, 1, 1)
SERIES: dict[str, Any] = {
    "id": "S01",
    "name": "Central Park",
    "operator": "123456789",
    "time_zone": "Asia/Shanghai",
    "energy_wh": [182500, 96000],
    "sessions": [9, 4],
    "charging_s": [15300, 8100],
}


class Series(View):
    """One subject's figures, in the order of `periods`; 0 where there was nothing."""

    id: str = Field(description="Operator's or site's code, or an area code; empty where none is entered.")
    name: str | None
    operator: str | None = Field(description="null for districts.")
    time_zone: str
    energy_wh: list[int]
    sessions: list[int] = Field(description="Sessions that started in it.")
    charging_s: list[int]

    model_config = with_examples(SERIES)


class Chart(View):
    """Figures of all subjects."""

    by: str
    of: str
    time_zone: str | None = Field(description="null: each operator's own.")
    periods: list[str] = Field(description="2026-01-31, 2026-01 or 2026.")
    series: list[Series]

    model_config = with_examples(
        {
            "by": "day",
            "of": "site",
            "time_zone": None,
            "periods": ["2026-01-01", "2026-01-02"],
            "series": [SERIES],
        }
    )


@router.get("/totals", summary="Figures for charts", response_model=Chart, **operation(READERS, 404))
async def chart(
    parts: Parts,
    operator: AskedOperator,
    by: Annotated[Literal["day", "month", "year"], Query(description="The length of a period.")],
    of: Annotated[Literal["operator", "site", "district"], Query(description="What is added up.")],
    since: Annotated[
        date, Query(alias="from", description="Periods from this day on.", examples=["2026-01-01"])
    ],
    until: Annotated[date, Query(alias="to", description="Before this day.", examples=["2026-02-01"])],
    subject: Annotated[Code | None, Query(alias="id", description="Of this one only.")] = None,
    tz: Annotated[
        ZoneName | None,
        Query(
            description="Periods of this clock; by default each operator's own. Of others at most 93 days."
        ),
    ] = None,
) -> Any:
    """At most 400 periods and 1,000 series. Years are sums of months."""
    if not FIRST <= since < until <= LAST:
        raise invalid("query.to", "it is not after `from`, or out of all times", "Send a later day.")
    return await parts.charts.find(ChartFilter(by, of, since, until, operator, subject, tz))
