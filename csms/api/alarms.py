"""/alarms: what is wrong, what was, and who knows of it."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request
from pydantic import Field

from csms.api.audit import audit
from csms.api.auth import OPERATORS, READERS, AskedOperator, Own, Who, operation
from csms.api.forms import LAST_INT64, Code, Form, Identity, Page, Text, View, with_examples
from csms.api.paging import After, Limit
from csms.api.parts import Parts
from csms.store.alarms import AlarmFilter

router = APIRouter(prefix="/alarms", tags=["Alarms"])

AlarmKind = Literal[
    "connector-fault", "security-event", "station-silent", "clock-wrong", "credentials-refused",
    "platform-paused", "platform-late", "webhook-paused", "disk-nearly-full", "database-unavailable",
]  # fmt: skip
Severity = Literal["critical", "major", "minor"]
AlarmNumber = Annotated[int, Path(ge=1, le=LAST_INT64, description="`id` of an alarm.", examples=[17])]


class Alarm(View):
    """Something that is or was wrong."""

    id: str
    kind: AlarmKind
    severity: Severity
    subject: str = Field(description="What it is about; one alarm of a kind and subject is open at most.")
    operator: str | None
    site: str | None
    charging_station: str | None
    details: dict[str, Any]
    raised_at: str | None = Field(description="Since when it has been so.")
    cleared_at: str | None = Field(description="null while it is so.")
    acknowledged_at: str | None
    acknowledged_by: str | None
    note: str | None

    model_config = with_examples(
        {
            "id": "17", "kind": "connector-fault", "severity": "major", "subject": "CS-0001/1/1",
            "operator": "123456789", "site": "S01", "charging_station": "CS-0001",
            "details": {"evse": 1, "connector": 1, "status": "faulted", "error_code": "GroundFailure"},
            "raised_at": "2026-01-01T10:00:00.000Z", "cleared_at": None, "acknowledged_at": None,
            "acknowledged_by": None, "note": None,
        }
    )  # fmt: skip


class Acknowledgement(Form):
    """What is being done about it."""

    note: Text = Field(min_length=1, max_length=200)

    model_config = with_examples({"note": "a mechanic is on the way"})


@router.get("", summary="Alarms", response_model=Page[Alarm], **operation(READERS, 404, by_site=True))
async def list_alarms(
    parts: Parts,
    own: Own,
    operator: AskedOperator,
    limit: Limit,
    after: After = None,
    state: Annotated[
        Literal["open", "closed"] | None, Query(description="Only what is wrong now, or only what was.")
    ] = None,
    severity: Annotated[Severity | None, Query(description="Only of this severity.")] = None,
    kind: Annotated[AlarmKind | None, Query(description="Only of this kind.")] = None,
    station: Annotated[Identity | None, Query(description="Only of this charging station.")] = None,
    site: Annotated[Code | None, Query(description="Only at this site (code).")] = None,
) -> Any:
    """Latest first. Raised and cleared by themselves."""
    is_open = None if state is None else state == "open"
    wanted = AlarmFilter(own, operator, is_open, kind, severity, station, site)
    return (await parts.live.alarms.find(wanted, after, limit))._asdict()


@router.get("/{alarm}", summary="One alarm", response_model=Alarm, **operation(READERS, 404, by_site=True))
async def one_alarm(parts: Parts, own: Own, alarm: AlarmNumber) -> Any:
    """By its number."""
    return await parts.live.alarms.one(alarm, own)


@router.post(
    "/{alarm}/acknowledge",
    summary="Say that somebody knows",
    response_model=Alarm,
    **operation(OPERATORS, 404, 409, 413, by_site=True),
)
async def acknowledge(
    request: Request, parts: Parts, who: Who, own: Own, alarm: AlarmNumber, body: Acknowledgement
) -> Any:
    """It stays open for as long as its cause lasts. 409 when somebody did before."""
    await parts.live.alarms.one(alarm, own)
    await parts.live.alarms.acknowledge(alarm, who.actor, body.note, parts.now())
    await audit(parts, request, who, "alarm-acknowledge", str(alarm), {"note": body.note})
    return await parts.live.alarms.one(alarm, own)
