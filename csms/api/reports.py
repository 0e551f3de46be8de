"""/totals and /outbox: energy by hour, day and month, and what city platforms are told."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import Field

from csms.api.auth import EVERYONE, Own, operation
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
    state: Literal["waiting", "sent", "dead"]
    attempts: int
    created_at: str | None
    due_at: str | None
    sent_at: str | None
    answer: Any = None
    last_error: str | None

    model_config = with_examples(ROW_EXAMPLE)


@router.get(
    "/totals", summary="Energy by hour, day or month", response_model=Page[Total], **operation(EVERYONE, 404)
)
async def list_totals(
    parts: Parts,
    own: Own,
    span: TimeSpan,
    limit: Limit,
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
    after: After = None,
) -> Any:
    """By start, then by what is added up. `from` and `to` select by the period's start."""
    wanted = TotalFilter(by, of, subject, own, *span)
    return (await parts.reports.totals(wanted, after, limit))._asdict()


@router.get(
    "/outbox", summary="What city platforms are told", response_model=Page[OutboxRow], **operation(EVERYONE)
)
async def list_outbox(
    parts: Parts,
    own: Own,
    limit: Limit,
    after: After = None,
    state: Annotated[
        Literal["waiting", "sent", "dead"] | None, Query(description="Only in this state.")
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
    """Latest first. `dead` records were refused too often and were set aside."""
    wanted = OutboxFilter(state, platform, kind, _platforms(parts, own))
    return (await parts.outbox.find(wanted, after, limit))._asdict()


def _platforms(parts: ApiParts, own: str | None) -> tuple[str, ...] | None:
    """The platforms this key may see: those that supervise its operator. None: all."""
    if own is None:
        return None
    return tuple(each.name for each in parts.settings.reporting.platforms if each.operator == own)
