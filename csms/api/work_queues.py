"""/work-queues: what waits for a person, and with each item what can be done about it, ready to be sent."""

from typing import Annotated, Any, Literal
from urllib.parse import quote

from fastapi import APIRouter, Path, Query, Request
from pydantic import Field

from csms.api.audit import audit
from csms.api.auth import OPERATORS, READERS, AskedOperator, Own, Who, operation
from csms.api.forms import LAST_INT64, Code, Form, Page, Text, View, with_examples
from csms.api.paging import After, Limit
from csms.api.parts import ApiParts, Parts
from csms.domain.scope import Scope
from csms.store.work_queues import COUNTED, QueueFilter, silent_before

router = APIRouter(prefix="/work-queues", tags=["Work queues"])

API = "/api/v1"
QueueName = Annotated[
    Literal[
        "unmatched-stops", "gaps", "implausible-energy", "clock-errors", "silent-stations", "unsent-records",
        "disputes", "quarantine",
    ],
    Path(description="Which queue.", examples=["gaps"]),
]  # fmt: skip
Asked = dict[str, Any]
NOTHING = None  # no body: it only reads


class QueueCount(View):
    """How much waits in a queue."""

    queue: str = Field(examples=["gaps"])
    count: int = Field(examples=[3], description="10000 stands for as many and more.")
    is_more: bool = Field(examples=[False])


class QueueCounts(View):
    """Every queue this key may see."""

    items: list[QueueCount]


class Fix(View):
    """A request that deals with the item. Fields of `body` that are null are to be filled in."""

    operation: str = Field(examples=["close-session"], description="A word for it, to be translated.")
    method: str = Field(examples=["POST"])
    path: str = Field(examples=["/api/v1/sessions/1767261600000001/close"])
    body: dict[str, Any] | None = Field(examples=[{"reason": None}])


class Item(View):
    """Something that waits for a person."""

    id: str
    operator: str | None
    site: str | None
    charging_station: str | None
    session_id: str | None
    since: str | None
    facts: dict[str, Any] = Field(description="What is known of it; depends on the queue.")
    fixes: list[Fix]

    model_config = with_examples(
        {
            "id": "1767261600000001", "operator": "123456789", "site": "S01", "charging_station": "CS-0001",
            "session_id": "1767261600000001", "since": "2026-01-01T10:00:00.512Z",
            "facts": {"state": "ended", "energy_wh": 22500, "quality": ["gap"]},
            "fixes": [
                {
                    "operation": "dismiss", "method": "POST", "body": {"note": None},
                    "path": "/api/v1/work-queues/gaps/1767261600000001/dismiss",
                }
            ],
        }
    )  # fmt: skip


class Note(Form):
    """Why nothing is to be done."""

    note: Text = Field(min_length=1, max_length=200)

    model_config = with_examples({"note": "checked against the station's display"})


class Dismissed(View):
    """What was taken out of a queue."""

    dismissed: str = Field(examples=["1767261600000001"])


Site = Annotated[Code | None, Query(description="Only at this site (code).")]


@router.get(
    "",
    summary="How much waits for a person",
    response_model=QueueCounts,
    **operation(READERS, 404, by_site=True),
)
async def count_queues(parts: Parts, operator: AskedOperator, own: Own, site: Site = None) -> Any:
    """By queue. Cheap enough to ask every few seconds."""
    counts = await parts.live.queues.counts(_filter(parts, operator, own, site))
    return {
        "items": [
            {"queue": queue, "count": count, "is_more": count >= COUNTED} for queue, count in counts.items()
        ]
    }


@router.get(
    "/{queue}", summary="A work queue", response_model=Page[Item], **operation(READERS, 404, by_site=True)
)
async def list_items(
    parts: Parts,
    operator: AskedOperator,
    own: Own,
    queue: QueueName,
    limit: Limit,
    after: After = None,
    site: Site = None,
) -> Any:
    """Newest first, each with the requests that deal with it."""
    page = await parts.live.queues.items(queue, _filter(parts, operator, own, site), after, limit)
    return {"items": [{**item, "fixes": fixes(queue, item)} for item in page.items], "next": page.next}


@router.post(
    "/{queue}/{session}/dismiss",
    summary="Take a session out of a queue",
    response_model=Dismissed,
    **operation(OPERATORS, 404, 413, by_site=True),
)
async def dismiss(
    request: Request,
    parts: Parts,
    who: Who,
    own: Own,
    queue: QueueName,
    session: Annotated[
        int, Path(ge=1, le=LAST_INT64, description="`id` of the item.", examples=[1767261600000001])
    ],
    body: Note,
) -> Any:
    """The session keeps its quality marks; it comes back only if it gets another one of this queue."""
    await parts.live.queues.dismiss(queue, session, own)
    await audit(parts, request, who, "work-dismiss", f"{queue}/{session}", {"note": body.note})
    return {"dismissed": str(session)}


def _filter(parts: ApiParts, operator: str | None, own: Scope, site: str | None) -> QueueFilter:
    platforms = tuple(
        one.name for one in parts.settings.reporting.platforms if operator in (None, one.operator)
    )
    before = silent_before(parts.now(), parts.settings.alarms.silent_after_s)
    return QueueFilter(operator, platforms, before, site, own)


def fixes(queue: str, item: Asked) -> list[dict[str, Any]]:
    """What can be done about an item of a queue."""
    return [
        {"operation": name, "method": "GET" if body is NOTHING else "POST", "path": API + path, "body": body}
        for name, path, body in _fixes(queue, item)
    ]


def _fixes(queue: str, item: Asked) -> list[tuple[str, str, Asked | None]]:
    number, facts = quote(item["id"], safe=""), item["facts"]
    away = ("dismiss", f"/work-queues/{queue}/{number}/dismiss", {"note": None})
    if queue == "unmatched-stops":
        return [
            ("attach-stop", f"/orphan-stops/{number}/attach", {"session_id": None, "reason": None}),
            ("dismiss-stop", f"/orphan-stops/{number}/dismiss", {"reason": None}),
            away,
        ]
    if queue in ("gaps", "implausible-energy", "clock-errors"):
        close = ("close-session", f"/sessions/{number}/close", {"reason": None})
        return [away] if facts["state"] == "ended" else [close, away]
    if queue == "silent-stations":
        return [("inspect", f"/charging-stations/{number}/events", NOTHING)]
    if queue == "unsent-records":
        return [("resend", f"/platforms/{facts['platform']}/outbox/{number}/resend", {})]
    if queue == "disputes":
        return [("resolve", f"/platforms/{facts['platform']}/disputes/{number}/resolve", {"note": None})]
    return [
        ("approve", f"/quarantine/{number}/approve", {"site": None}),
        ("dismiss", f"/quarantine/{number}/deny", {}),
    ]
