"""Any OCPP request to a charging station, for administrators: checked, audited, answered as it came."""

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Path, Request
from pydantic import Field

from csms.api.audit import audit_row, digest_of
from csms.api.auth import ADMINS, Own, Who, operation
from csms.api.commands import ResultWord, detail_of, finish
from csms.api.forms import View, with_examples
from csms.api.parts import ApiParts, Parts
from csms.api.problems import Problem, invalid
from csms.api.stations import StationPath, station_of
from csms.domain.assets import ChargingStation, OcppVersion
from csms.domain.commands import Outcome, RawCall, Result
from csms.domain.redaction import DEEPEST, is_too_deep, redacted
from csms.domain.scope import Scope
from csms.errors import InvalidInput
from csms.protocol.schema import actions, check_request
from csms.store.command_queries import CommandForm

router = APIRouter(tags=["Commands"])

BODY = {
    "requestBody": {
        "required": True,
        "description": "The payload, as the schema of the action in the station's OCPP version has it.",
        "content": {"application/json": {"schema": {"type": "object"}, "example": {"type": "Soft"}}},
    }
}


class CallError(View):
    """Why there is no answer: the station's CALLERROR, or ours when nothing came back."""

    code: str
    description: str
    details: dict[str, Any]


class CallResult(View):
    """The station's answer as it came, or its error."""

    command_id: str
    result: ResultWord
    answer: dict[str, Any] | None = Field(default=None, description="The payload of its CALLRESULT.")
    error: CallError | None = None

    model_config = with_examples(
        {"command_id": "18", "result": "accepted", "answer": {"status": "Accepted"}},
        {
            "command_id": "19",
            "result": "not-supported",
            "error": {"code": "NotImplemented", "description": "", "details": {}},
        },
    )


def _operation() -> dict[str, Any]:
    made = operation(ADMINS, 404, 409, 413, by_site=True)
    return made | {"openapi_extra": {**made["openapi_extra"], **BODY}}


@router.post(
    "/charging-stations/{identity}/calls/{action}",
    summary="Send any OCPP request",
    response_model=CallResult,
    response_model_exclude_none=True,
    **_operation(),
)
async def call(
    request: Request,
    parts: Parts,
    who: Who,
    own: Own,
    identity: StationPath,
    action: Annotated[
        str, Path(pattern=r"^[A-Za-z0-9]{1,50}$", description="An OCPP action.", examples=["Reset"])
    ],
) -> Any:
    """The body is the payload, checked against the station's OCPP version before it is sent (422 says
    what is wrong). 200 whatever came of it: `answer`, or `error` with the station's own code.
    """
    station = await station_of(parts, identity, own)
    payload = _payload(await request.body())
    _check(await _version(parts, station, own), action, payload)
    noted = {"action": action, "payload": redacted(payload)}
    form = CommandForm(
        station.station_id, who.actor, "RawCall", {"sha256": digest_of(payload), "given": noted}
    )
    begun = await parts.desk.begin(
        form, audit_row(parts, request, who, f"call {action}", identity, noted), parts.now()
    )
    outcome = await parts.courier.send(
        identity, RawCall(action, payload), parts.settings.gateway.command_expiry_s
    )
    shown = {"result": outcome.result.value, "detail": redacted(detail_of(outcome))}
    ended = audit_row(parts, request, who, f"call {action} ended", identity, shown)
    await finish(parts, begun.command_id, outcome, ended)
    return {"command_id": str(begun.command_id), "result": outcome.result.value, **_answer(outcome)}


def _payload(body: bytes) -> dict[str, Any]:
    try:
        payload = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeError) as exc:
        raise invalid("body", f"not valid JSON: {exc}", "Send one JSON object in UTF-8.") from exc
    if not isinstance(payload, dict):
        raise invalid("body", "it is not an object", "Send one JSON object.")
    if is_too_deep(payload):
        raise invalid("body", f"it has more than {DEEPEST} levels", "Send a flatter one.")
    return payload


def _check(version: OcppVersion, action: str, payload: dict[str, Any]) -> None:
    if action not in actions(version):
        raise invalid("path.action", f"{version} has no action {action}", "Use an action of this version.")
    try:
        check_request(version, action, payload)
    except InvalidInput as exc:
        text = str(exc.args[0]).removeprefix(f"{action}: ")
        raise invalid("body", text, f"See the schema of {action} in {version}.") from exc


async def _version(parts: ApiParts, station: ChargingStation, own: Scope) -> OcppVersion:
    shown = await parts.devices.shown(station.identity, own)
    known = shown["ocpp_version"] if shown else None
    if known is None and station.assume_version is None:
        raise Problem(409, f"{station.identity} was never connected: its OCPP version is not known.")
    return OcppVersion(known) if known else station.assume_version or OcppVersion.V16


def _answer(outcome: Outcome) -> dict[str, Any]:
    payload = redacted(outcome.payload or {})
    error = payload.get("error")
    if isinstance(error, dict) and "code" in error:
        details = error.get("details")
        return {
            "error": {
                "code": str(error["code"]),
                "description": str(error.get("description", "")),
                "details": details if isinstance(details, dict) else {},
            }
        }
    if outcome.payload is None and outcome.result is not Result.ACCEPTED:
        return {"error": {"code": outcome.result.value, "description": outcome.reason, "details": {}}}
    return {"answer": payload}
