"""Passwords of charging stations: set by hand, or changed together with the station (A01).

A new password is sent to the station over the connection it has. Accepted: the old one is refused from then
on. Refused, or never sent: the old one stays. No answer: nobody knows which one it has, so both are good
until it has logged in with one of them. Taken, but used only after a restart: both are good until it has
logged in with the new one; who still has the old one a week later did not restart, and keeps it.
"""

from datetime import timedelta
from typing import Annotated, Any, Literal

import structlog
from fastapi import APIRouter, Request
from pydantic import Field

from csms.api.audit import audit
from csms.api.auth import ADMINS, Own, Who, operation
from csms.api.forms import Form, View, with_examples
from csms.api.parts import ApiParts, Parts
from csms.api.problems import Problem, invalid
from csms.api.stations import StationPath, shown, station_of
from csms.domain.assets import OcppVersion
from csms.domain.commands import Outcome, Result, SetVariable, SetVariables
from csms.domain.credentials import fault_of_password, generate_password, hash_password
from csms.errors import StoreUnavailable
from csms.store.station_desk import Secret

router = APIRouter(prefix="/charging-stations", tags=["Charging stations"])

log = structlog.get_logger()

REFUSED = frozenset({Result.REJECTED, Result.NOT_SUPPORTED, Result.NOT_CONNECTED})
LATER = "reboot-required"
RESTARTS_WITHIN = timedelta(days=7)


class PasswordBody(Form):
    """A password that was set on the station by hand; without one a random one is made."""

    password: Annotated[str, Field(min_length=1, max_length=64)] | None = Field(
        default=None, description="16 to 40 bytes (1.6: at most 20). Kept as a salted hash only."
    )

    model_config = with_examples({})


class NewPassword(View):
    """The password that is valid from now on."""

    identity: str = Field(examples=["CS-0001"])
    password: str | None = Field(
        description="The generated one; shown this once.", examples=["kV8w2nQ0Zr5yT3bLx9Hd"]
    )


class Rotation(View):
    """How a change of password went, and which one is valid."""

    identity: str = Field(examples=["CS-0001"])
    result: str = Field(examples=["accepted"])
    reason: str = Field(examples=[""])
    valid: Literal["new", "old", "both"] = Field(
        description="both: nobody knows what the station took, or it takes it at its next restart; the next "
        "login settles it."
    )


@router.post(
    "/{identity}/credentials",
    summary="Set a station's password",
    response_model=NewPassword,
    **operation(ADMINS, 404, 413),
)
async def set_credentials(
    request: Request, parts: Parts, who: Who, own: Own, identity: StationPath, body: PasswordBody
) -> Any:
    """The one before is refused at once. The station is not told: this is for setting it up by hand."""
    await station_of(parts, identity, own)
    fault = None if body.password is None else fault_of_password(body.password.encode())
    if fault is not None:
        raise invalid("body.password", fault, "Send 16 to 40 bytes, or leave it out to have one generated.")
    generated = generate_password() if body.password is None else None
    await parts.stations.set_password(identity, hash_password((generated or body.password or "").encode()))
    await audit(parts, request, who, "credentials-set", identity, {"generated": generated is not None})
    return {"identity": identity, "password": generated}


@router.post(
    "/{identity}/credentials/rotate",
    summary="Change the password together with the station",
    response_model=Rotation,
    **operation(ADMINS, 404, 409),
)
async def rotate_credentials(
    request: Request, parts: Parts, who: Who, own: Own, identity: StationPath
) -> Any:
    """Sends a new random password over the open connection. Nobody sees it. 409 while an earlier change is
    not settled, and for a station that has no password or was never connected.
    """
    await station_of(parts, identity, own)
    version = (await shown(parts, identity, own))["ocpp_version"]
    if version is None:
        raise Problem(409, f"{identity} was never connected: its OCPP version is not known.")
    password = generate_password()
    secret = hash_password(password.encode())
    if not await parts.stations.begin_rotation(identity, secret):
        raise Problem(409, f"{identity} has no password to change, or its last change is not settled yet.")
    outcome = await parts.courier.send(
        identity, command_of(OcppVersion(version), password), parts.settings.gateway.command_expiry_s
    )
    valid = await _settle(parts, identity, secret, outcome)
    told = {"result": outcome.result.value, "reason": outcome.reason, "valid": valid}
    await audit(parts, request, who, "credentials-rotate", identity, told)
    return {"identity": identity, **told}


def command_of(version: OcppVersion, password: str) -> SetVariables:
    """What tells a station its password. 1.6: the bytes as hex digits (A00.FR.205)."""
    if version is OcppVersion.V16:
        return SetVariables((SetVariable("AuthorizationKey", password.encode().hex().upper()),))
    return SetVariables((SetVariable("BasicAuthPassword", password, "SecurityCtrlr"),))


async def _settle(parts: ApiParts, identity: str, secret: Secret, outcome: Outcome) -> str:
    try:
        if outcome.result is Result.ACCEPTED and LATER not in outcome.reason:
            await parts.stations.set_password(identity, secret)  # A01.FR.03
            return "new"
        if outcome.result in REFUSED:
            await parts.stations.withdraw_rotation(identity, secret)  # A01.FR.04
            return "old"
        if outcome.result is Result.ACCEPTED:
            until = parts.now() + RESTARTS_WITHIN
            await parts.stations.postpone_rotation(identity, secret, until)
    except StoreUnavailable as exc:
        # Both stay valid, and the next login settles it.
        log.error("rotation_not_settled", station=identity, error=str(exc))
    return "both"
