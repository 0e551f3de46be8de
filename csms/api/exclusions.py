"""/reports/exclusions: dated times in which an outage is not the operator's, and why."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import Field

from csms.api.audit import audit
from csms.api.auth import OPERATORS, READERS, AskedOperator, Own, Who, operation
from csms.api.forms import LAST_INT64, EvseNumber, Form, Identity, Instant, Page, Text, View, with_examples
from csms.api.paging import After, Limit, TimeSpan
from csms.api.parts import Parts
from csms.domain.timeline import Span
from csms.domain.uptime import Reason
from csms.errors import NotFound
from csms.store.exclusions import ExclusionFilter, ExclusionForm

router = APIRouter(prefix="/reports/exclusions", tags=["Availability"])

EXAMPLE = {
    "charging_station": "CS-0001",
    "evse": 1,
    "starts_at": "2026-01-10T00:00:00Z",
    "ends_at": "2026-01-10T20:00:00Z",
    "reason": "vandalism",
    "note": "Cable cut; police report 26-117.",
}
Number = Annotated[str, Path(pattern=r"^[0-9]{1,19}$", description="`id` of an exclusion.", examples=["7"])]


class ExclusionBody(Form):
    """A time, and why an outage in it is not the operator's."""

    charging_station: Identity
    evse: Annotated[EvseNumber, Field(description="0 is the whole station.")] = 0
    starts_at: Instant
    ends_at: Annotated[Instant, Field(description="Excluded; after `starts_at`.")]
    reason: Reason
    note: Text = ""

    model_config = with_examples(EXAMPLE)

    def as_form(self) -> ExclusionForm:
        """As the store takes it."""
        span = Span(self.starts_at, self.ends_at)
        return ExclusionForm(self.charging_station, self.evse, span, self.reason, self.note)


class Exclusion(View):
    """An exclusion."""

    id: str
    operator: str | None
    charging_station: str
    evse: int
    starts_at: str
    ends_at: str
    reason: Reason = Field(
        description="NEVI excludes them all. In the UK only `outside-hours` is left out of the measure."
    )
    note: str
    actor: str = Field(description="Who entered or last changed it.")
    modified_at: str

    model_config = with_examples(
        {
            "id": "7",
            "operator": "123456789",
            **EXAMPLE,
            "actor": "key:1:office",
            "modified_at": "2026-01-11T09:00:00.000Z",
        }
    )


@router.get(
    "", summary="List exclusions", response_model=Page[Exclusion], **operation(READERS, 404, by_site=True)
)
async def list_exclusions(
    parts: Parts,
    operator: AskedOperator,
    own: Own,
    span: TimeSpan,
    limit: Limit,
    after: After = None,
    station: Annotated[Identity | None, Query(description="Only of this charging station.")] = None,
) -> Any:
    """In the order in which they were entered. `from` and `to` select those that overlap that time."""
    wanted = ExclusionFilter(operator, station, *span, own)
    return (await parts.availability.exclusions.find(wanted, after, limit))._asdict()


@router.post(
    "",
    summary="Exclude a time",
    response_model=Exclusion,
    status_code=201,
    **operation(OPERATORS, 404, 413, by_site=True),
)
async def add_exclusion(request: Request, parts: Parts, who: Who, own: Own, body: ExclusionBody) -> Any:
    """Reports that are made afterwards respect it."""
    made = await parts.availability.exclusions.add(body.as_form(), own, who.actor, parts.now())
    await audit(parts, request, who, "exclusion-add", made["id"], body.model_dump(mode="json"))
    return made


@router.get(
    "/{number}", summary="One exclusion", response_model=Exclusion, **operation(READERS, 404, by_site=True)
)
async def one_exclusion(parts: Parts, own: Own, number: Number) -> Any:
    """By its number."""
    return await parts.availability.exclusions.one(_known(number), own)


@router.put(
    "/{number}",
    summary="Change an exclusion",
    response_model=Exclusion,
    **operation(OPERATORS, 404, 413, by_site=True),
)
async def change_exclusion(
    request: Request, parts: Parts, who: Who, own: Own, number: Number, body: ExclusionBody
) -> Any:
    """All of it is replaced."""
    made = await parts.availability.exclusions.change(
        _known(number), body.as_form(), own, who.actor, parts.now()
    )
    await audit(parts, request, who, "exclusion-change", made["id"], body.model_dump(mode="json"))
    return made


@router.delete(
    "/{number}", summary="Remove an exclusion", status_code=204, **operation(OPERATORS, 404, by_site=True)
)
async def remove_exclusion(request: Request, parts: Parts, who: Who, own: Own, number: Number) -> Response:
    """The audit log keeps what it was."""
    gone = await parts.availability.exclusions.remove(_known(number), own)
    await audit(parts, request, who, "exclusion-remove", gone["id"], gone)
    return Response(status_code=204)


def _known(number: str) -> int:
    if int(number) > LAST_INT64:
        raise NotFound(f"exclusion {number}")
    return int(number)
