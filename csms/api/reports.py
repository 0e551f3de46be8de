"""/totals and /outbox: energy by hour, day and month, and what city platforms are told."""

from datetime import date
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query
from pydantic import Field

from csms.api.auth import EVERYONE, READERS, AskedOperator, Own, Principal, Role, Who, operation, platforms_of
from csms.api.forms import Page, View, with_examples
from csms.api.paging import After, Limit, TimeSpan
from csms.api.parts import ApiParts, Parts
from csms.store.outbox import OutboxFilter
from csms.store.reports import TotalFilter

router = APIRouter(tags=["Reports"])

TOTAL_EXAMPLE = {
    "by": "hour",
    "of": "site",
    "id": "S01",
    "start": "2026-01-01T10:00:00.000Z",
    "energy_wh": 182500,
    "sessions": 9,
    "charging_s": 15300,
    "revision": 1,
    "computed_at": "2026-01-01T11:02:00.000Z",
}
YEARBOOK_EXAMPLE = {
    "as_of": "2017-12-31",
    "operator": None,
    "rows": [{"name": "operators", "now": 47, "before": 23, "added": 24, "growth_percent": "104"}],
    "chargers_by_class": [{"name": "all", "chargers": 115107, "ten_thousands": "11.51"}],
    "energy_wh": 182500000,
    "sessions": 9120,
    "utilisation_percent": "4.20",
    "unclassified": 0,
    "unentered": 0,
}
ROW_EXAMPLE = {
    "id": "4711",
    "platform": "beijing",
    "kind": "charge-order",
    "about": "123456789001767261600000001/1",
    "state": "sent",
    "attempts": 1,
    "created_at": "2026-01-01T10:45:00.000Z",
    "due_at": "2026-01-01T10:45:00.000Z",
    "sent_at": "2026-01-01T10:45:01.250Z",
    "answer": {"Ret": 0},
    "last_error": None,
    "sent_hash": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
}


class Total(View):
    """Energy and use of one place in one hour, day or month."""

    by: str
    of: str
    id: str = Field(description="Operator's or site's code, station's identity, or IDENTITY/EVSE/CONNECTOR.")
    start: str | None = Field(description="Days and months begin at the operator's local midnight.")
    energy_wh: int
    sessions: int = Field(description="Sessions that started in it.")
    charging_s: int = Field(description="Seconds of charging, all sessions together.")
    revision: int = Field(description="Raised when late data changed a total that was closed.")
    computed_at: str | None

    model_config = with_examples(TOTAL_EXAMPLE)


class OutboxRow(View):
    """One record owed to a city platform."""

    id: str
    platform: str
    kind: str
    about: str = Field(description="Names the fact: the same fact is told once.")
    state: Literal["waiting", "sent", "dead", "dropped"]
    attempts: int
    created_at: str | None
    due_at: str | None
    sent_at: str | None
    answer: Any = None
    last_error: str | None
    sent_hash: str | None = Field(description="SHA-256 of the message as it was told.")

    model_config = with_examples(ROW_EXAMPLE)


def total_filter(
    own: Own,
    span: TimeSpan,
    by: Annotated[Literal["hour", "day", "month"], Query(description="The length of a period.")],
    of: Annotated[
        Literal["connector", "station", "site", "operator"], Query(description="What is added up.")
    ],
    subject: Annotated[
        str | None,
        Query(
            alias="id",
            min_length=1,
            max_length=128,
            pattern=r"^[^\x00-\x1f\x7f]+$",
            description="Of this one only.",
            examples=["S01"],
        ),
    ] = None,
) -> TotalFilter:
    """The totals that are asked for, of those the key may see."""
    return TotalFilter(by, of, subject, own, *span)


AskedTotals = Annotated[TotalFilter, Depends(total_filter)]


@router.get(
    "/totals",
    summary="Energy by hour, day or month",
    response_model=Page[Total],
    **operation(EVERYONE, 404, by_site=True),
)
async def list_totals(parts: Parts, wanted: AskedTotals, limit: Limit, after: After = None) -> Any:
    """By start, then by what is added up. `from` and `to` select by the period's start."""
    return (await parts.reports.totals(wanted, after, limit))._asdict()


class YearbookRow(View):
    """A figure now and a year before."""

    name: str
    now: int
    before: int
    added: int
    growth_percent: str | None = Field(description="As printed; null where there was nothing a year before.")


class YearbookClass(View):
    """Chargers of a class; `workplace-internal` is part of `public-dedicated`."""

    name: str
    chargers: int
    ten_thousands: str


class YearbookView(View):
    """The figures as of the end of a day."""

    as_of: str
    operator: str | None
    rows: list[YearbookRow]
    chargers_by_class: list[YearbookClass]
    energy_wh: int = Field(description="Of the year that ended that day.")
    sessions: int
    utilisation_percent: str | None
    unclassified: int = Field(description="Chargers whose class nobody entered.")
    unentered: int = Field(description="Charging stations without dates; no date counts them.")

    model_config = with_examples(YEARBOOK_EXAMPLE)


@router.get(
    "/reports/yearbook",
    summary="The yearbook as of a date",
    response_model=YearbookView,
    **operation(READERS, 404),
)
async def yearbook(
    parts: Parts,
    operator: AskedOperator,
    as_of: Annotated[date, Query(description="The end of this day.", examples=["2017-12-31"])],
) -> Any:
    """Operators, sites and chargers connected, what was added in a year, chargers by class, energy, use."""
    return await parts.yearbook(as_of, operator)


@router.get(
    "/outbox", summary="What city platforms are told", response_model=Page[OutboxRow], **operation(EVERYONE)
)
async def list_outbox(
    parts: Parts,
    who: Who,
    limit: Limit,
    after: After = None,
    state: Annotated[
        Literal["waiting", "sent", "dead", "dropped"] | None, Query(description="Only in this state.")
    ] = None,
    platform: Annotated[
        str | None,
        Query(pattern=r"^[a-z0-9-]{1,32}$", description="Only for this platform.", examples=["beijing"]),
    ] = None,
    kind: Annotated[
        str | None,
        Query(pattern=r"^[a-z0-9-]{1,32}$", description="Only of this kind.", examples=["charge-order"]),
    ] = None,
) -> Any:
    """Latest first. `dead` records were refused too often and were set aside; `dropped`
    ones are not told on purpose (`last_error` says why).
    """
    wanted = OutboxFilter(state, platform, kind, _platforms(parts, who))
    return (await parts.outbox.find(wanted, after, limit))._asdict()


def _platforms(parts: ApiParts, who: Principal) -> tuple[str, ...] | None:
    """The platforms this key may see. None: all, also those that the settings have no more."""
    if who.operator is None and who.role is not Role.PLATFORM:
        return None
    return tuple(one.name for one in platforms_of(parts, who))
