"""/command-batches: one command to many stations, at a rate, with progress that outlives the process."""

from dataclasses import fields
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, Path, Query, Request
from pydantic import Field

from csms.api.audit import audit
from csms.api.auth import OPERATORS, READERS, OwnOperator, Who, operation
from csms.api.command_forms import OF_SESSION, CommandForm
from csms.api.forms import LAST_INT64, Code, Form, Identity, OperatorCode, Page, Text, View, with_examples
from csms.api.paging import After, Limit
from csms.api.parts import ApiParts, Parts
from csms.api.problems import invalid
from csms.domain.assets import ConnectorStatus, OcppVersion
from csms.domain.redaction import redacted
from csms.errors import NotFound
from csms.store.batches import BatchForm
from csms.store.station_filters import StationFilter

router = APIRouter(prefix="/command-batches", tags=["Commands"])

State = Literal["running", "stopped", "cancelled", "finished"]
Progress = Literal[
    "waiting", "sent", "cancelled",
    "accepted", "rejected", "not-connected", "silent", "not-supported", "failed",
]  # fmt: skip
BatchPath = Annotated[
    str, Path(pattern=r"^[0-9]{1,19}$", description="`batch_id` of a batch.", examples=["1"])
]
EXAMPLE = {"command": {"command": "ClearCache"}, "stations": ["CS-0001"], "per_second": 10}


class StationsFilter(Form):
    """Which stations, as in their list."""

    operator: OperatorCode | None = None
    site: Code | None = None
    state: Literal["online", "offline", "never-seen"] | None = None
    district: Annotated[str, Field(pattern=r"^[0-9]{2,12}$")] | None = None
    connector: ConnectorStatus | None = None
    has_fault: bool | None = None
    version: OcppVersion | None = None
    vendor: Text | None = None
    model: Text | None = None
    firmware: Text | None = None
    registration: Literal["accepted", "pending", "rejected", "disabled"] | None = None
    prefix: Annotated[Text, Field(min_length=1)] | None = None


class BatchBody(Form):
    """One command and its stations: by identity, or all that a filter selects now."""

    command: CommandForm
    stations: Annotated[list[Identity], Field(min_length=1, max_length=10_000)] | None = None
    filter: StationsFilter | None = None
    per_second: Annotated[int, Field(ge=1, le=1_000, description="Begun in a second, at most.")] = 10
    concurrency: Annotated[int, Field(ge=1, le=1_000, description="At most so many at a time.")] = 50
    stop_after: Annotated[int, Field(ge=1)] | None = Field(
        default=None, description="Failures (anything but accepted) after which nothing more is sent."
    )

    model_config = with_examples(EXAMPLE)


class Batch(View):
    """A batch."""

    batch_id: str = Field(examples=["1"])
    operator: str | None = Field(description="Whose stations alone it may reach.")
    actor: str = Field(examples=["key:1:console"])
    command: dict[str, Any] = Field(examples=[{"command": "ClearCache"}])
    selection: dict[str, Any] = Field(examples=[{"stations": 1}])
    per_second: int
    concurrency: int
    stop_after: int | None
    state: State
    created_at: str | None
    finished_at: str | None


class BatchWithCounts(Batch):
    """A batch and how its stations fared."""

    counts: dict[str, int] = Field(
        description="Stations by `waiting`, `sent`, `cancelled`, or what came of it.",
        examples=[{"waiting": 80, "sent": 4, "accepted": 15, "not-connected": 1}],
    )


class BatchItem(View):
    """One station of a batch."""

    charging_station: str = Field(examples=["CS-0001"])
    state: Literal["waiting", "sent", "done", "cancelled"]
    result: str | None = Field(examples=["accepted"])
    detail: dict[str, Any]
    attempts: int
    finished_at: str | None


@router.get("", summary="List command batches", response_model=Page[Batch], **operation(READERS))
async def list_batches(parts: Parts, own: OwnOperator, limit: Limit, after: After = None) -> Any:
    """Latest first; a key limited to one operator sees that operator's."""
    return (await parts.batches.find(own, after, limit))._asdict()


@router.post(
    "",
    summary="Give many stations a command",
    response_model=BatchWithCounts,
    status_code=202,
    **operation(OPERATORS, 404, 413),
)
async def put_batch(
    request: Request,
    parts: Parts,
    who: Who,
    own: OwnOperator,
    body: Annotated[
        BatchBody, Body(openapi_examples={"ClearCache": {"summary": "ClearCache", "value": EXAMPLE}})
    ],
) -> Any:
    """Answered before anything is sent. Each station is told once at most: one whose answer was lost with a
    process counts as `silent`.
    """
    _check(body)
    given = body.command.model_dump(mode="json")
    if own is not None and body.filter is not None and body.filter.operator not in (None, own):
        raise NotFound(f"operator {body.filter.operator}")
    form = BatchForm(
        actor=who.actor,
        operator=own,
        command=given,
        stations=tuple(body.stations or ()),
        wanted=_filter(body.filter, own),
        selection=_selection(body),
        per_s=body.per_second,
        concurrency=body.concurrency,
        stop_after=body.stop_after,
    )
    number = await parts.batches.put(form, parts.now())
    noted = {"command": given, **_selection(body)}
    await audit(parts, request, who, "command-batch", str(number), noted)
    return await _shown(parts, str(number), own)


@router.get(
    "/{batch_id}", summary="One command batch", response_model=BatchWithCounts, **operation(READERS, 404)
)
async def one_batch(parts: Parts, own: OwnOperator, batch_id: BatchPath) -> Any:
    """How far it is."""
    return await _shown(parts, batch_id, own)


@router.get(
    "/{batch_id}/items",
    summary="Stations of a command batch",
    response_model=Page[BatchItem],
    **operation(READERS, 404),
)
async def batch_items(
    parts: Parts,
    own: OwnOperator,
    batch_id: BatchPath,
    limit: Limit,
    after: After = None,
    result: Annotated[
        Progress | None,
        Query(description="Only those it has come to this with."),
    ] = None,
) -> Any:
    """What came of each."""
    await _shown(parts, batch_id, own)
    return (await parts.batches.items(int(batch_id), result, after, limit))._asdict()


@router.post(
    "/{batch_id}/retry-failed",
    summary="Send a batch's command to failed stations again",
    response_model=BatchWithCounts,
    **operation(OPERATORS, 404),
)
async def retry_batch(request: Request, parts: Parts, who: Who, own: OwnOperator, batch_id: BatchPath) -> Any:
    """To all that rejected it, were not connected, failed or kept silent (those may have carried it out)."""
    await _shown(parts, batch_id, own)
    number = await parts.batches.retry_failed(int(batch_id), parts.now())
    await audit(parts, request, who, "command-batch-retry", batch_id, {"stations": number})
    return await _shown(parts, batch_id, own)


@router.post(
    "/{batch_id}/cancel",
    summary="Stop a command batch",
    response_model=BatchWithCounts,
    **operation(OPERATORS, 404, 409),
)
async def cancel_batch(
    request: Request, parts: Parts, who: Who, own: OwnOperator, batch_id: BatchPath
) -> Any:
    """Nothing more is sent; what was sent is still completed. 409 when it has ended."""
    await _shown(parts, batch_id, own)
    await parts.batches.cancel(int(batch_id), parts.now())
    await audit(parts, request, who, "command-batch-cancel", batch_id, {})
    return await _shown(parts, batch_id, own)


def _check(body: BatchBody) -> None:
    if (body.stations is None) == (body.filter is None):
        raise invalid("body.stations", "stations or filter, one of the two", "Send one of them.")
    if isinstance(body.command, OF_SESSION):
        told = f"{body.command.command} is about one station"
        raise invalid("body.command", told, "Give it that command alone.")
    given = body.command.model_dump(mode="json")
    if redacted(given) != given:
        # It would have to be kept until it is sent.
        raise invalid("body.command", "it holds a password", "Use /credentials of each station.")


def _filter(chosen: StationsFilter | None, own: str | None) -> StationFilter:
    if chosen is None:
        return StationFilter(operator=own)
    known = {f.name for f in fields(StationFilter)}
    values = {name: value for name, value in chosen.model_dump().items() if name in known}
    return StationFilter(**values | {"operator": own or chosen.operator})


def _selection(body: BatchBody) -> dict[str, Any]:
    if body.filter is None:
        return {"stations": len(set(body.stations or ()))}
    return {"filter": body.filter.model_dump(mode="json", exclude_none=True)}


async def _shown(parts: ApiParts, batch_id: str, own: str | None) -> dict[str, Any]:
    number = int(batch_id)
    found = await parts.batches.shown(number, own) if number <= LAST_INT64 else None
    if found is None:
        raise NotFound(f"command batch {batch_id}")
    return found
