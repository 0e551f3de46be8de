"""Commands to charging stations: given, carried, kept with what came of them, and looked up."""

import asyncio
from typing import Annotated, Any, Literal

import structlog
from fastapi import APIRouter, Body, Header, Path, Request
from pydantic import Field

from csms.api.audit import audit_row, digest_of
from csms.api.auth import OPERATORS, READERS, Own, Who, operation
from csms.api.command_forms import EXAMPLES, CommandForm, StopSession, to_command
from csms.api.forms import LAST_INT64, View, with_examples
from csms.api.parts import ApiParts, Parts
from csms.api.problems import Problem, invalid
from csms.api.stations import StationPath, station_of
from csms.domain.assets import ChargingStation
from csms.domain.commands import Outcome
from csms.domain.redaction import redacted
from csms.errors import NotFound, StoreUnavailable
from csms.store import command_queries
from csms.store.command_queries import Begun

router = APIRouter(tags=["Commands"])

ResultWord = Literal["accepted", "rejected", "not-connected", "silent", "not-supported", "failed"]
LOOKED_EVERY_S = 0.1

log = structlog.get_logger()

EXAMPLE = {
    "command_id": "17",
    "command": "StartSession",
    "result": "accepted",
    "detail": {"reason": "", "answer": {"status": "Accepted"}},
}

IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        pattern=r"^[\x21-\x7e]{1,200}$",
        description="Makes repeating safe: the same key and body give the first result, not sent again.",
    ),
]


class CommandResult(View):
    """What came of a command. `silent`: sent and not answered in time; it may still be carried out."""

    command_id: str
    command: str
    result: ResultWord
    detail: dict[str, Any] = Field(
        description="`reason` in words, the station's `answer`, `variables` it told."
    )

    model_config = with_examples(EXAMPLE)


class StoredCommand(View):
    """A command as it is kept."""

    command_id: str
    charging_station: str
    command: str
    result: ResultWord | None = Field(description="null while it is under way.")
    detail: dict[str, Any]
    created_at: str | None
    finished_at: str | None

    model_config = with_examples(
        EXAMPLE
        | {
            "charging_station": "CS-0001",
            "created_at": "2026-01-01T10:00:00.000Z",
            "finished_at": "2026-01-01T10:00:00.350Z",
        }
    )


@router.post(
    "/charging-stations/{identity}/commands",
    summary="Give a charging station a command",
    response_model=CommandResult,
    **operation(OPERATORS, 404, 409, 413),
)
async def give_command(
    request: Request,
    parts: Parts,
    who: Who,
    own: Own,
    identity: StationPath,
    body: Annotated[
        CommandForm,
        Body(openapi_examples={name: {"summary": name, "value": value} for name, value in EXAMPLES.items()}),
    ],
    idempotency_key: IdempotencyKey = None,
) -> Any:
    """Waits for the station's answer. 200 whatever came of it: see `result`. A command writes no session:
    what the station then reports does.
    """
    station = await station_of(parts, identity, own)
    transaction_id = await _transaction(parts, station, body)
    given = body.model_dump(mode="json", exclude={"command"})
    form = command_queries.CommandForm(
        station.station_id,
        who.actor,
        body.command,
        {"sha256": digest_of(given), "given": redacted(given)},
        idempotency_key,
    )
    row = audit_row(parts, request, who, f"command {body.command}", identity, given)
    begun = await parts.desk.begin(form, row, parts.now())
    if not begun.is_new:
        return await _repeated(parts, begun, body.command, own)
    command = to_command(body, transaction_id=transaction_id, number=begun.command_id)
    outcome = await parts.courier.send(identity, command, parts.settings.gateway.command_expiry_s)
    result, detail = outcome.result.value, detail_of(outcome)
    shown = {"result": result, "detail": detail}
    ended = audit_row(parts, request, who, f"command {body.command} ended", identity, shown)
    try:
        await parts.desk.finish(begun.command_id, result, redacted(detail), ended)
    except StoreUnavailable as exc:
        # It was carried out: its asker must hear so, though a repetition will not.
        log.error("command_outcome_not_stored", command=begun.command_id, station=identity, error=str(exc))
    return {"command_id": str(begun.command_id), "command": body.command, **shown}


@router.get(
    "/commands/{command_id}",
    summary="What came of a command",
    response_model=StoredCommand,
    **operation(READERS, 404),
)
async def one_command(
    parts: Parts,
    own: Own,
    command_id: Annotated[str, Path(pattern=r"^[0-9]{1,19}$", description="`command_id` of a command.")],
) -> Any:
    """A command by its number."""
    number = int(command_id)
    shown = await parts.desk.shown(number, own) if number <= LAST_INT64 else None
    if shown is None:
        raise NotFound(f"command {command_id}")
    return shown


def detail_of(outcome: Outcome) -> dict[str, Any]:
    """Everything an outcome says beside its result."""
    detail: dict[str, Any] = {"reason": outcome.reason}
    if outcome.payload is not None:
        # A CALLERROR is told under its own name.
        detail |= outcome.payload if set(outcome.payload) == {"error"} else {"answer": outcome.payload}
    if outcome.variables:
        detail["variables"] = [
            {"component": v.component, "name": v.variable, "attribute": v.attribute, "value": v.value}
            for v in outcome.variables
        ]
    return detail


async def _transaction(parts: ApiParts, station: ChargingStation, body: Any) -> str:
    if not isinstance(body, StopSession):
        return ""
    number = int(body.session_id)
    session = await parts.sessions.by_id(number) if number <= LAST_INT64 else None
    if session is None or session.station_id != station.station_id:
        raise invalid(
            "body.session_id",
            f"{station.identity} has no session {body.session_id}",
            "Use a session_id of this charging station; `live_sessions` lists those that run.",
        )
    return session.transaction_id


async def _repeated(parts: ApiParts, begun: Begun, command: str, own: str | None) -> dict[str, Any]:
    """The result of the same command given before; waits for it while it is under way."""
    if not begun.is_same:
        raise Problem(409, "This Idempotency-Key was used with another body.")
    loop = asyncio.get_running_loop()
    give_up_at = loop.time() + parts.settings.gateway.command_expiry_s
    result, detail = begun.result, begun.detail
    while result is None:
        if loop.time() >= give_up_at:
            raise Problem(
                409, "The command with this Idempotency-Key has not ended; its outcome may be lost."
            )
        await asyncio.sleep(LOOKED_EVERY_S)
        shown = await parts.desk.shown(begun.command_id, own)
        result, detail = (shown["result"], shown["detail"]) if shown else (None, {})
    return {"command_id": str(begun.command_id), "command": command, "result": result, "detail": detail}
