"""/schedules: reports and exports that are delivered by themselves, into a folder or to a webhook."""

import secrets
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Request, Response
from pydantic import Field, StringConstraints

from csms.api.audit import audit
from csms.api.auth import ADMINS, READERS, OwnOperator, Principal, Role, Who, operation
from csms.api.forms import LAST_INT64, Form, Name, OperatorCode, Page, View, ZoneName, with_examples
from csms.api.paging import After, Limit
from csms.api.parts import ApiParts, Parts
from csms.books.fields import Language
from csms.books.making import check
from csms.books.targets import check_url, folder_of
from csms.domain.redaction import host_alone
from csms.domain.schedule import Every
from csms.errors import NotFound
from csms.store.schedules import ScheduleForm

router = APIRouter(prefix="/schedules", tags=["Schedules"])

Number = Annotated[str, Path(pattern=r"^[0-9]{1,19}$", description="`id` of a schedule.", examples=["7"])]
Clock = Annotated[str, StringConstraints(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
Secret = Annotated[str, StringConstraints(min_length=16, max_length=200, pattern=r"^[\x21-\x7e]+$")]
EXAMPLE: dict[str, Any] = {
    "name": "Statement for the owner",
    "operator": "123456789",
    "report": "statement",
    "by": None,
    "of": None,
    "format": "xlsx",
    "language": "zh-CN",
    "time_zone": "Asia/Shanghai",
    "every": "month",
    "at": "06:00",
    "target": "webhook",
    "address": "https://files.example.com/csms",
    "enabled": True,
}


class ScheduleBody(Form):
    """What is made, when, and where it goes. A month's file is about the month before, and so on."""

    name: Name
    operator: OperatorCode | None = Field(default=None, description="null: the whole network.")
    report: Literal["statement", "sessions", "orders", "totals", "audit"]
    by: Literal["hour", "day", "month"] | None = Field(default=None, description="Of totals: day by default.")
    of: Literal["connector", "station", "site", "operator"] | None = Field(
        default=None, description="Of totals: site by default."
    )
    format: Literal["csv", "xlsx", "parquet", "html", "json"]
    language: Language = "zh-CN"
    time_zone: ZoneName = Field(description="Of the periods and of times in the file.")
    every: Every
    at: Clock = Field(description="Local time after the midnight that ends the period.")
    target: Literal["folder", "webhook"]
    address: Annotated[str, StringConstraints(min_length=1, max_length=500)] = Field(
        description="A folder below `documents.folder`, or the URL that gets the file by POST."
    )
    secret: Secret | None = Field(default=None, description="Signs what a webhook gets; made when left out.")
    enabled: bool = True

    model_config = with_examples(EXAMPLE)

    def as_form(self) -> ScheduleForm:
        """As the store takes it."""
        hour, _, minute = self.at.partition(":")
        given: dict[str, str | None] = {"by": self.by, "of": self.of}
        options = {name: value for name, value in given.items() if value is not None}
        same = ("name", "operator", "report", "language", "time_zone", "target", "address", "enabled")
        return ScheduleForm(
            options=options,
            form=self.format,
            every=self.every.value,
            at_minute=60 * int(hour) + int(minute),
            **{name: getattr(self, name) for name in same},
        )


class Schedule(View):
    """A schedule. Its secret is never shown again."""

    id: str
    name: str
    operator: str | None
    report: str
    by: str | None
    of: str | None
    format: str
    language: str
    time_zone: str
    every: str
    at: str
    target: str
    address: str
    enabled: bool
    created_at: str
    next_at: str | None = Field(description="When the next file is due; null while it is not enabled.")

    model_config = with_examples(
        {
            "id": "7",
            **EXAMPLE,
            "created_at": "2026-01-01T00:00:00.000Z",
            "next_at": "2026-01-31T22:00:00.000Z",
        }
    )


class NewSchedule(Schedule):
    """A schedule that was made. `secret` is shown here and nowhere else."""

    secret: str | None


class Delivery(View):
    """A file of one period."""

    id: str
    period: str
    asked_for: bool = Field(description="Whether a person asked for it out of turn.")
    since: str = Field(alias="from")
    until: str = Field(alias="to")
    created_at: str
    due_at: str | None = Field(description="When it is tried next.")
    state: Literal["waiting", "delivered", "failed"]
    attempts: int
    delivered_at: str | None
    file_name: str | None
    bytes: int | None
    sha256: str | None
    last_error: str | None

    model_config = with_examples(
        {
            "id": "12",
            "period": "2026-01",
            "asked_for": False,
            "from": "2025-12-31T16:00:00.000Z",
            "to": "2026-01-31T16:00:00.000Z",
            "created_at": "2026-01-31T22:00:00.000Z",
            "due_at": None,
            "state": "delivered",
            "attempts": 1,
            "delivered_at": "2026-01-31T22:00:04.000Z",
            "file_name": "statement-123456789-2026-01-7-12.xlsx",
            "bytes": 48213,
            "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            "last_error": None,
        }
    )


@router.get("", summary="List schedules", response_model=Page[Schedule], **operation(READERS))
async def list_schedules(parts: Parts, who: Who, own: OwnOperator, limit: Limit, after: After = None) -> Any:
    """Oldest first. The address of a webhook ends with its host for all but administrators."""
    page = await parts.schedules.find(own, after, limit)
    return {"items": [_seen(who, one) for one in page.items], "next": page.next}


@router.post(
    "", summary="Make a schedule", response_model=NewSchedule, status_code=201, **operation(ADMINS, 404, 413)
)
async def add_schedule(request: Request, parts: Parts, who: Who, own: OwnOperator, body: ScheduleBody) -> Any:
    """Its first file is that of the period that ends next. A webhook gets the header `X-CSMS-Signature`:
    `sha256=` and the HMAC-SHA-256, in hex, of `X-CSMS-Timestamp`, a dot, and the body.
    """
    form = _checked(parts, own, body)
    secret = (body.secret or secrets.token_urlsafe(32)) if form.target == "webhook" else None
    number = await parts.schedules.add(form, secret, parts.now())
    await audit(parts, request, who, "schedule-add", number, _noted(body.model_dump(mode="json")))
    return shown(await parts.schedules.one(int(number), own)) | {"secret": secret}


@router.post(
    "/{schedule}/run",
    summary="Deliver the latest period now",
    response_model=Delivery,
    status_code=202,
    **operation(ADMINS, 404),
)
async def run_schedule(request: Request, parts: Parts, who: Who, own: OwnOperator, schedule: Number) -> Any:
    """Once more, whether it was delivered or not, under another name. `/deliveries` says what came of it."""
    made = await parts.schedules.ask(_known(schedule), own, parts.now())
    await audit(parts, request, who, "schedule-run", schedule, {"delivery": made["id"]})
    return made


@router.get(
    "/{schedule}/deliveries",
    summary="What a schedule delivered",
    response_model=Page[Delivery],
    **operation(READERS, 404),
)
async def schedule_deliveries(
    parts: Parts, own: OwnOperator, schedule: Number, limit: Limit, after: After = None
) -> Any:
    """Latest first; also of a schedule that was removed."""
    return (await parts.schedules.history(_known(schedule), own, after, limit))._asdict()


@router.get("/{schedule}", summary="One schedule", response_model=Schedule, **operation(READERS, 404))
async def one_schedule(parts: Parts, who: Who, own: OwnOperator, schedule: Number) -> Any:
    """By its `id`."""
    return _seen(who, await parts.schedules.one(_known(schedule), own))


@router.put(
    "/{schedule}", summary="Change a schedule", response_model=Schedule, **operation(ADMINS, 404, 413)
)
async def put_schedule(
    request: Request, parts: Parts, who: Who, own: OwnOperator, schedule: Number, body: ScheduleBody
) -> Any:
    """As a whole, but for its secret: that stays unless a new one is given. What is due stays due."""
    form = _checked(parts, own, body)
    await parts.schedules.put(_known(schedule), own, form, parts.now(), body.secret)
    await audit(parts, request, who, "schedule-put", schedule, _noted(body.model_dump(mode="json")))
    return shown(await parts.schedules.one(int(schedule), own))


@router.delete("/{schedule}", summary="Remove a schedule", status_code=204, **operation(ADMINS, 404))
async def remove_schedule(
    request: Request, parts: Parts, who: Who, own: OwnOperator, schedule: Number
) -> Response:
    """Nothing more is due; what is being delivered is delivered, and its history stays."""
    gone = await parts.schedules.remove(_known(schedule), own, parts.now())
    await audit(parts, request, who, "schedule-remove", schedule, _noted(gone))
    return Response(status_code=204)


def _checked(parts: ApiParts, own: str | None, body: ScheduleBody) -> ScheduleForm:
    """Raises NotFound for another's operator, InvalidInput for what cannot be made or delivered."""
    if own is not None and body.operator != own:
        raise NotFound(f"operator {body.operator}")
    form, settings = body.as_form(), parts.settings.documents
    check(form)
    if form.target == "folder":
        folder_of(settings, form.address)
    else:
        check_url(settings, form.address)
    return form


def shown(record: dict[str, Any]) -> dict[str, Any]:
    """A schedule as the API gives it."""
    hour, minute = divmod(record["at_minute"], 60)
    return record | {
        "format": record["form"],
        "at": f"{hour:02d}:{minute:02d}",
        "by": record["options"].get("by"),
        "of": record["options"].get("of"),
    }


def _seen(who: Principal, record: dict[str, Any]) -> dict[str, Any]:
    return shown(record if who.role is Role.ADMIN else _noted(record))


def _noted(record: dict[str, Any]) -> dict[str, Any]:
    is_url = record["target"] == "webhook"
    return record | {"address": host_alone(record["address"])} if is_url else record


def _known(number: str) -> int:
    if int(number) > LAST_INT64:
        raise NotFound(f"schedule {number}")
    return int(number)
