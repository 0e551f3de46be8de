"""What people say of sessions: /sessions/{id}/close, and /orphan-stops with what becomes of them."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import Field

from csms.api.audit import audit
from csms.api.auth import OPERATORS, READERS, AskedOperator, Own, Who, operation
from csms.api.forms import LAST_INT64, Code, Form, Identity, Instant, Name, Page, View, with_examples
from csms.api.paging import After, Limit
from csms.api.parts import ApiParts, Parts
from csms.api.problems import Problem, invalid
from csms.api.sessions import Session, SessionId, shown_session
from csms.domain.commands import Amendment, AttachStop, CloseSession, DismissStop, Outcome, Result
from csms.domain.scope import Scope
from csms.errors import NotFound
from csms.store.orphan_queries import OrphanFilter

router = APIRouter(tags=["Sessions"])

Reason = Annotated[Name, Field(description="Why, in words; kept with the session and in the audit log.")]
WH_LONGEST = 10**12


class CloseBody(Form):
    """How an open session ended, as a person knows it."""

    reason: Reason
    ended_at: Instant | None = Field(default=None, description="null: when it was last heard.")
    meter_stop_wh: int | None = Field(
        default=None, ge=0, le=WH_LONGEST, description="The register at the end; null: the last reading."
    )

    model_config = with_examples(
        {
            "reason": "The station was replaced; read off its display.",
            "ended_at": "2026-01-01T10:45:00Z",
            "meter_stop_wh": 23500,
        }
    )


class AttachBody(Form):
    """Which session a stop is that of."""

    session_id: str = Field(pattern=r"^[0-9]{1,19}$", description="A session of the same charging station.")
    reason: Reason

    model_config = with_examples({"session_id": "1767261600000001", "reason": "Same card, same register."})


class DismissBody(Form):
    """Why nobody looks for the session of a stop any more."""

    reason: Reason

    model_config = with_examples({"reason": "Sent by the technician's test."})


class OrphanStop(View):
    """A stop whose start never came. It is kept as a session of its own, which no city is told of."""

    session_id: str = Field(description="Its number, as `orphan-stops/{id}` and `sessions/{id}` have it.")
    operator: str | None
    site: str | None
    charging_station: str
    transaction_id: str
    id_token: str
    ended_at: str | None
    received_at: str
    meter_stop_wh: int | None
    stop_reason: str | None
    candidates: list[str] = Field(
        description="`session_id` of up to 5 sessions without a stop that it may be that of, newest first."
    )

    model_config = with_examples(
        {
            "session_id": "1767261600000007",
            "operator": "123456789",
            "site": "S01",
            "charging_station": "CS-0001",
            "transaction_id": "-1",
            "id_token": "A1",
            "ended_at": "2026-01-01T10:45:00.000Z",
            "received_at": "2026-01-01T10:45:00.512Z",
            "meter_stop_wh": 23500,
            "stop_reason": "local",
            "candidates": ["1767261600000001"],
        }
    )


@router.post(
    "/sessions/{session_id}/close",
    summary="Close a session by hand",
    response_model=Session,
    **operation(OPERATORS, 404, 409, 413, by_site=True),
)
async def close_session(
    request: Request, parts: Parts, who: Who, own: Own, session_id: SessionId, body: CloseBody
) -> Any:
    """For a session whose stop will not come. Price, order and totals follow as after a stop; it has the
    quality flags `closed-by-hand`, `no-stop` and `estimated`. Should the station's own stop come after all,
    it counts, and makes a revision. 409 when the session has ended. Nothing is sent to the station.
    """
    shown = await shown_session(parts, session_id, own)
    order = CloseSession(int(shown["session_id"]), who.actor, body.reason, body.ended_at, body.meter_stop_wh)
    await _carry_out(parts, shown["charging_station"], order)
    noted = body.model_dump(mode="json")
    await audit(parts, request, who, "session-close", shown["session_id"], noted)
    return await shown_session(parts, session_id, own)


@router.get(
    "/orphan-stops",
    summary="Stops without a start",
    response_model=Page[OrphanStop],
    **operation(READERS, 404, by_site=True),
)
async def list_orphans(
    parts: Parts,
    operator: AskedOperator,
    own: Own,
    limit: Limit,
    after: After = None,
    site: Annotated[Code | None, Query(description="Only at this site (code).")] = None,
    station: Annotated[Identity | None, Query(description="Only of this charging station.")] = None,
) -> Any:
    """Newest first: those that have found no session and were not dismissed."""
    wanted = OrphanFilter(operator, site, station, own)
    return (await parts.evidence.orphans.find(wanted, after, limit))._asdict()


@router.post(
    "/orphan-stops/{session_id}/attach",
    summary="A stop is that of a session",
    response_model=Session,
    **operation(OPERATORS, 404, 409, 413, by_site=True),
)
async def attach_orphan(
    request: Request, parts: Parts, who: Who, own: Own, session_id: SessionId, body: AttachBody
) -> Any:
    """The session ends as if the stop had named it (a revision, if policy or a person had closed it), with
    the quality flag `stop-attached`. 409 when either has been dealt with; 422 when the stop cannot be its.
    """
    orphan = await shown_session(parts, session_id, own)
    session = await _named(parts, body.session_id, own)
    order = AttachStop(int(orphan["session_id"]), int(session["session_id"]), who.actor, body.reason)
    await _carry_out(parts, orphan["charging_station"], order)
    noted = body.model_dump(mode="json")
    await audit(parts, request, who, "orphan-stop-attach", orphan["session_id"], noted)
    return await shown_session(parts, session["session_id"], own)


@router.post(
    "/orphan-stops/{session_id}/dismiss",
    summary="A stop belongs to nothing",
    response_model=Session,
    **operation(OPERATORS, 404, 409, 413, by_site=True),
)
async def dismiss_orphan(
    request: Request, parts: Parts, who: Who, own: Own, session_id: SessionId, body: DismissBody
) -> Any:
    """It is no longer listed, and no start that comes later takes it. It stays among the sessions."""
    orphan = await shown_session(parts, session_id, own)
    order = DismissStop(int(orphan["session_id"]), who.actor, body.reason)
    await _carry_out(parts, orphan["charging_station"], order)
    noted = body.model_dump(mode="json")
    await audit(parts, request, who, "orphan-stop-dismiss", orphan["session_id"], noted)
    return await shown_session(parts, session_id, own)


async def _named(parts: ApiParts, session_id: str, own: Scope) -> dict[str, Any]:
    number = int(session_id)
    shown = await parts.sessions.shown(number, own) if number <= LAST_INT64 else None
    if shown is None:
        raise invalid("body.session_id", f"there is no session {session_id}", "See `candidates`.")
    return shown


async def _carry_out(parts: ApiParts, identity: str, order: Amendment) -> None:
    """Raises what the outcome says, unless it was done."""
    outcome = await parts.evidence.amend(identity, order)
    if outcome.result is not Result.ACCEPTED:
        raise _refusal(outcome)


def _refusal(outcome: Outcome) -> Exception:
    told = outcome.payload or {}
    if outcome.result is not Result.REJECTED:
        return Problem(503, f"It could not be done now: {outcome.reason}.", headers={"Retry-After": "2"})
    if told.get("problem") == "not-found":
        return NotFound(str(told.get("detail")))
    if told.get("problem") == "invalid":
        field, _, problem = str(told.get("detail")).partition(": ")
        return invalid(f"body.{field}", problem, "Send a value that can be.")
    return Problem(409, str(told.get("detail", outcome.reason)))
