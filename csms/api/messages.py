"""/messages: what all stations and we said to each other, searched."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import Field, StringConstraints

from csms.api.auth import READERS, AskedOperator, operation
from csms.api.forms import Identity, Page, TokenText, with_examples
from csms.api.paging import After, Limit, TimeSpan
from csms.api.parts import Parts
from csms.api.problems import invalid
from csms.api.stations import Message
from csms.store.message_search import MessageFilter

router = APIRouter(prefix="/messages", tags=["Charging stations"])


class FoundMessage(Message):
    """One request and its answer, with the station it was said to or by."""

    charging_station: str
    operator: str | None
    session_id: str | None = Field(description="The session that keeps it; null for what is only logged.")

    model_config = with_examples(
        {
            "at": "2026-01-01T10:00:00.000Z",
            "charging_station": "CS-0001",
            "operator": "123456789",
            "direction": "in",
            "message_id": "17",
            "action": "Heartbeat",
            "request": "{}",
            "answer": '{"currentTime":"2026-01-01T10:00:00.000Z"}',
            "outcome": "answered",
            "latency_ms": 0.8,
            "session_id": None,
        }
    )


@router.get(
    "",
    summary="Search the messages of all stations",
    response_model=Page[FoundMessage],
    **operation(READERS, 404),
)
async def search_messages(
    parts: Parts,
    operator: AskedOperator,
    span: TimeSpan,
    limit: Limit,
    after: After = None,
    station: Annotated[Identity | None, Query(description="Only of this charging station.")] = None,
    action: Annotated[
        Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9]{1,50}$")] | None,
        Query(description="Only this OCPP action."),
    ] = None,
    direction: Annotated[
        Literal["in", "out"] | None, Query(description="in: from the station; out: to it.")
    ] = None,
    text: Annotated[
        TokenText | None,
        Query(
            description="This in request or answer; a-z are as good as A-Z. Without `station`: give `from`."
        ),
    ] = None,
    outcome: Annotated[
        Literal["bad"] | None,
        Query(description="`bad`: only what was refused, failed, late or not answered."),
    ] = None,
) -> Any:
    """Latest first; each request with its answer and how long that took (where it is logged). One request
    looks at some thousand messages: a page may be shorter than `limit`, or empty, and have a page after it.
    """
    if text is not None and station is None and span.since is None:
        raise invalid(
            "query.from", "a text is looked for in a time or at a station", "Send `from` or `station`."
        )
    wanted = MessageFilter(operator, station, action, direction, text, outcome == "bad", *span)
    return (await parts.evidence.messages.find(wanted, after, limit))._asdict()
