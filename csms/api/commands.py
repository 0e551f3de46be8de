"""Commands to charging stations: given, carried, kept with what came of them, and looked up."""

from typing import Annotated, Any, Literal

import structlog
from fastapi import APIRouter, BackgroundTasks, Body, Path, Query, Request, Response
from pydantic import Field

from csms.api.audit import audit, audit_row, digest_of
from csms.api.auth import OPERATORS, READERS, Own, Who, operation
from csms.api.command_forms import EXAMPLES, OF_SESSION, CommandForm, forms_of, to_command
from csms.api.forms import LAST_INT64, View, with_examples
from csms.api.parts import ApiParts, Parts
from csms.api.problems import Problem, invalid
from csms.api.stations import StationPath, station_of
from csms.api.stations import shown as shown_station
from csms.domain.assets import ChargingStation, OcppVersion
from csms.domain.commands import Outcome, Result, Withdraw
from csms.domain.redaction import redacted
from csms.errors import NotFound, StoreUnavailable
from csms.protocol.schema import actions
from csms.store import command_queries
from csms.store.records import AuditRow

router = APIRouter(tags=["Commands"])

ResultWord = Literal["accepted", "rejected", "not-connected", "silent", "not-supported", "failed"]

log = structlog.get_logger()

EXAMPLE = {
    "command_id": "17",
    "command": "StartSession",
    "result": "accepted",
    "detail": {"reason": "", "answer": {"status": "Accepted"}},
}


CommandPath = Annotated[str, Path(pattern=r"^[0-9]{1,19}$", description="`command_id` of a command.")]
WITHDRAWN_WITHIN_S = 5.0


class CommandResult(View):
    """What came of a command. `silent`: sent and not answered in time; it may still be carried out."""

    command_id: str
    command: str
    result: ResultWord | None = Field(description="null: it is under way (`wait=false`).")
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


class FormOfCommand(View):
    """A command and what it takes."""

    command: str = Field(examples=["Reset"])
    description: str = Field(examples=["Restart the station."])
    body: dict[str, Any] = Field(description="JSON Schema of the request body.")
    example: dict[str, Any]


class CommandForms(View):
    """What a station of this OCPP version can be told."""

    version: str | None = Field(examples=["ocpp1.6"])
    commands: list[FormOfCommand]
    calls: list[str] = Field(description="Actions of the version.", examples=[["Reset"]])


@router.post(
    "/charging-stations/{identity}/commands",
    summary="Give a charging station a command",
    response_model=CommandResult,
    **operation(OPERATORS, 404, 409, 413, by_site=True, also={202: CommandResult}),
)
async def give_command(
    request: Request,
    response: Response,
    afterwards: BackgroundTasks,
    parts: Parts,
    who: Who,
    own: Own,
    identity: StationPath,
    body: Annotated[
        CommandForm,
        Body(openapi_examples={name: {"summary": name, "value": value} for name, value in EXAMPLES.items()}),
    ],
    wait: Annotated[
        bool, Query(description="false: answered with 202 at once; /commands/{command_id} tells the result.")
    ] = True,
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
    )
    row = audit_row(parts, request, who, f"command {body.command}", identity, given)
    begun = await parts.desk.begin(form, row, parts.now())
    number = begun.command_id
    command = to_command(body, transaction_id=transaction_id, number=number)

    async def carry_out() -> dict[str, Any]:
        outcome = await parts.courier.send(
            identity, command, parts.settings.gateway.command_expiry_s, number=number
        )
        shown = {"result": outcome.result.value, "detail": redacted(detail_of(outcome))}
        ended = audit_row(parts, request, who, f"command {body.command} ended", identity, shown)
        await finish(parts, number, outcome, ended)
        return shown

    if wait:
        shown = await carry_out()
    else:
        response.status_code, shown = 202, {"result": None, "detail": {}}
        afterwards.add_task(carry_out)
    return {"command_id": str(number), "command": body.command, **shown}


async def finish(parts: ApiParts, number: int, outcome: Outcome, ended: AuditRow) -> None:
    """Keep what came of a command that was sent."""
    try:
        await parts.desk.finish(number, outcome.result.value, redacted(detail_of(outcome)), ended)
    except StoreUnavailable as exc:
        # It was carried out: its asker must hear so, though a repetition will not.
        log.error("command_outcome_not_stored", command=number, error=str(exc))


@router.post(
    "/commands/{command_id}/cancel",
    summary="Take a command back",
    response_model=StoredCommand,
    **operation(OPERATORS, 404, 409, by_site=True),
)
async def cancel_command(request: Request, parts: Parts, who: Who, own: Own, command_id: CommandPath) -> Any:
    """While it waits to be sent. 409 when it was sent or has ended: what was sent cannot be taken back."""
    shown = await one_command(parts, own, command_id)
    if shown["result"] is None:
        told = await parts.courier.send(
            shown["charging_station"], Withdraw(int(command_id)), WITHDRAWN_WITHIN_S
        )
        if told.result is Result.ACCEPTED:
            await audit(
                parts, request, who, "command-cancel", shown["charging_station"], {"command": command_id}
            )
            return await one_command(parts, own, command_id)
    raise Problem(409, f"Command {command_id} was sent, or has ended.")


@router.get(
    "/charging-stations/{identity}/command-forms",
    summary="What a station can be told",
    response_model=CommandForms,
    **operation(READERS, 404, by_site=True),
)
async def command_forms(parts: Parts, own: Own, identity: StationPath) -> Any:
    """A JSON Schema for each command the station's OCPP version takes, to make a form of, and the OCPP
    requests that /calls sends. `version` is null for a station that never connected: then as 1.6.
    """
    station = await station_of(parts, identity, own)
    known = (await shown_station(parts, identity, own))["ocpp_version"] or station.assume_version
    version = OcppVersion(known) if known else None
    forms = forms_of(version or OcppVersion.V16)
    return {"version": version, "commands": forms, "calls": sorted(actions(version or OcppVersion.V16))}


@router.get(
    "/commands/{command_id}",
    summary="What came of a command",
    response_model=StoredCommand,
    **operation(READERS, 404, by_site=True),
)
async def one_command(
    parts: Parts,
    own: Own,
    command_id: CommandPath,
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
    if not isinstance(body, OF_SESSION):
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
