"""/sessions/{id}/evidence, revisions, told, commands, quality: everything that bears on one session."""

from typing import Any, Literal

from fastapi import APIRouter
from pydantic import Field

from csms.api.auth import READERS, Own, operation
from csms.api.forms import Page, View, with_examples
from csms.api.paging import After, Limit
from csms.api.parts import Parts
from csms.api.sessions import SessionId, shown_session
from csms.domain.flag_words import FLAG_WORDS
from csms.domain.quality import Flag

router = APIRouter(prefix="/sessions", tags=["Sessions"])

AT = "2026-01-01T10:45:00.000Z"
Pair = tuple[Any, Any]


class EvidenceEntry(View):
    """One thing that bears on the session."""

    received_at: str | None
    at: str | None = Field(description="By the station's clock, where it told.")
    source: Literal["command", "event", "message", "revision", "status"]
    kind: str = Field(description="What kind of message, status, event, command; a revision's cause.")
    details: dict[str, Any]

    model_config = with_examples(
        {
            "received_at": AT,
            "at": AT,
            "source": "status",
            "kind": "faulted",
            "details": {"error_code": "GroundFailure", "vendor_error": "", "info": ""},
        }
    )


class SessionChange(View):
    """A revision of the session: what late data, a person or policy changed after its end."""

    revision: int
    at: str | None
    cause: str
    changed: dict[str, Pair] = Field(description="Each field as it was and as it is from then on.")
    after: dict[str, Any] = Field(description="The session as it was from then on.")


class OrderChange(View):
    """A revision of the charge order: what was told of energy and money."""

    revision: int
    at: str | None
    session_revision: int
    currency: str | None
    total: str | None
    changed: dict[str, Pair] = Field(description="Each figure as it was told before, and now.")


class Revisions(View):
    """The history of a session and of its charge order, oldest first."""

    session: list[SessionChange]
    orders: list[OrderChange]

    model_config = with_examples(
        {
            "session": [
                {
                    "revision": 2,
                    "at": AT,
                    "cause": "late-stop",
                    "changed": {"energy_wh": [5000, 17500]},
                    "after": {"energy_wh": 17500, "state": "ended"},
                }
            ],
            "orders": [
                {
                    "revision": 1,
                    "at": AT,
                    "session_revision": 1,
                    "currency": "CNY",
                    "total": "40.68",
                    "changed": {"total": [None, "40.68"]},
                }
            ],
        }
    )


class ToldRow(View):
    """One record of the session for one city platform."""

    id: str = Field(description="Of the outbox, as in /reports/outbox.")
    platform: str
    kind: str
    revision: int | None = Field(description="Of the charge order; null for other kinds.")
    state: Literal["waiting", "sent", "dead", "dropped"]
    attempts: int
    created_at: str | None
    due_at: str | None
    sent_at: str | None
    answer: Any
    last_error: str | None
    payload: dict[str, Any] = Field(description="In our own words; the platform's are made when it is sent.")


class Told(View):
    """What city platforms were told of a session, oldest first."""

    items: list[ToldRow]

    model_config = with_examples(
        {
            "items": [
                {
                    "id": "17",
                    "platform": "beijing",
                    "kind": "charge-order",
                    "revision": 1,
                    "state": "sent",
                    "attempts": 1,
                    "created_at": AT,
                    "due_at": AT,
                    "sent_at": AT,
                    "answer": {"ConfirmResult": 0},
                    "last_error": None,
                    "payload": {"energy_wh": 22500},
                }
            ]
        }
    )


class SessionCommand(View):
    """A command that started or stopped the session."""

    command_id: str
    command: Literal["StartSession", "StopSession"]
    known_by: Literal["remote-start-id", "token", "session"] = Field(
        description="How it belongs here. token: 1.6 carries no number; the same token, shortly before."
    )
    actor: str
    given: dict[str, Any]
    result: str | None
    detail: dict[str, Any]
    created_at: str | None
    finished_at: str | None


class PlatformOrderShown(View):
    """A charge that a city platform asked for, of which this session came."""

    platform: str
    start_charge_seq: str
    state: str
    asked_at: str | None
    stop_asked_at: str | None
    failure: str


class SessionCommands(View):
    """What people and platforms commanded of a session."""

    commands: list[SessionCommand]
    platform_orders: list[PlatformOrderShown]

    model_config = with_examples(
        {
            "commands": [
                {
                    "command_id": "17",
                    "command": "StartSession",
                    "known_by": "token",
                    "actor": "key:1:desk",
                    "given": {"id_token": "A1", "evse": 1},
                    "result": "accepted",
                    "detail": {"reason": ""},
                    "created_at": AT,
                    "finished_at": AT,
                }
            ],
            "platform_orders": [],
        }
    )


class Explained(View):
    """A quality flag in words."""

    flag: str
    zh: str
    en: str


class Quality(View):
    """What makes a session worth a second look, in words."""

    items: list[Explained]

    model_config = with_examples({"items": [{"flag": "late-data", **FLAG_WORDS[Flag.LATE_DATA]._asdict()}]})


@router.get(
    "/{session_id}/evidence",
    summary="Everything that bears on a session",
    response_model=Page[EvidenceEntry],
    **operation(READERS, 404, by_site=True),
)
async def session_evidence(
    parts: Parts, own: Own, session_id: SessionId, limit: Limit, after: After = None
) -> Any:
    """Messages and readings, its connector's states, its station's connections and events, commands, and
    revisions, in order of arrival, from ten minutes before its start to half an hour after its end.
    """
    shown = await shown_session(parts, session_id, own)
    return (await parts.evidence.stories.evidence(int(shown["session_id"]), after, limit))._asdict()


@router.get(
    "/{session_id}/revisions",
    summary="What changed of a session, and of what was told of it",
    response_model=Revisions,
    **operation(READERS, 404, by_site=True),
)
async def session_revisions(parts: Parts, own: Own, session_id: SessionId) -> Any:
    """Of the session: from its end on. Of its charge order: every one that was made."""
    shown = await shown_session(parts, session_id, own)
    return await parts.evidence.stories.revisions(int(shown["session_id"]))


@router.get(
    "/{session_id}/told",
    summary="What cities were told of a session",
    response_model=Told,
    **operation(READERS, 404, by_site=True),
)
async def session_told(parts: Parts, own: Own, session_id: SessionId) -> Any:
    """Charge orders with each revision, its charge status, and results of starts and stops that were asked
    for: when they were told, what the platform answered, what waits.
    """
    shown = await shown_session(parts, session_id, own)
    platforms = [one.name for one in parts.settings.reporting.platforms]
    return {"items": await parts.evidence.told.told(int(shown["session_id"]), platforms)}


@router.get(
    "/{session_id}/commands",
    summary="What started and stopped a session from afar",
    response_model=SessionCommands,
    **operation(READERS, 404, by_site=True),
)
async def session_commands(parts: Parts, own: Own, session_id: SessionId) -> Any:
    """Commands of people, and orders of city platforms."""
    shown = await shown_session(parts, session_id, own)
    return await parts.evidence.told.commands(int(shown["session_id"]))


@router.get(
    "/{session_id}/quality",
    summary="A session's quality flags in words",
    response_model=Quality,
    **operation(READERS, 404, by_site=True),
)
async def session_quality(parts: Parts, own: Own, session_id: SessionId) -> Any:
    """In Chinese and English; empty is best."""
    shown = await shown_session(parts, session_id, own)
    return {"items": [{"flag": flag, **FLAG_WORDS[Flag(flag)]._asdict()} for flag in shown["quality"]]}
