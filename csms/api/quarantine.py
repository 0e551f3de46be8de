"""/quarantine: stations nobody registered that tried to connect. They belong to no operator yet."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from pydantic import Field

from csms.api import registration
from csms.api.audit import audit
from csms.api.auth import ADMINS, Who, operation
from csms.api.forms import Identity, Text, View
from csms.api.paging import Limit
from csms.api.parts import ApiParts, Parts
from csms.api.registration import StationBody, StationFields
from csms.errors import NotFound

router = APIRouter(prefix="/quarantine", tags=["Quarantine"])

# Whatever was tried at the door may stand here, registered letters or not.
StrangerPath = Annotated[
    Text, Path(min_length=1, description="The identity it came with.", examples=["CS-0099"])
]


class Stranger(View):
    """A station nobody registered."""

    identity: str = Field(examples=["CS-0099"])
    first_seen_at: str | None = Field(examples=["2026-01-01T10:00:00.000Z"])
    last_seen_at: str | None = Field(examples=["2026-01-01T10:05:00.000Z"])
    attempts: int = Field(examples=[6])
    remote_address: str = Field(examples=["192.0.2.17"])
    reason: str = Field(examples=["not registered"])
    headers: dict[str, str] = Field(
        description="What it sent when it tried to connect, without credentials.",
        examples=[{"User-Agent": "acme/1.2", "Sec-WebSocket-Protocol": "ocpp1.6"}],
    )


class Strangers(View):
    """Latest first."""

    items: list[Stranger]


class Verdict(View):
    """What was decided."""

    identity: str = Field(examples=["CS-0099"])
    verdict: str = Field(examples=["approved"])
    password: str | None = Field(
        default=None,
        description="The generated password; shown this once.",
        examples=["kV8w2nQ0Zr5yT3bLx9Hd"],
    )


@router.get(
    "",
    summary="Unknown stations that tried to connect",
    response_model=Strangers,
    **operation(ADMINS, whole_network=True),
)
async def list_strangers(parts: Parts, limit: Limit) -> Any:
    """Latest first. They were refused (or served for a demonstration, if so configured)."""
    return {"items": await parts.registry.quarantined(limit)}


@router.post(
    "/{identity}/approve",
    summary="Register an unknown station",
    response_model=Verdict,
    **operation(ADMINS, 404, 409, 413, whole_network=True),
)
async def approve(
    request: Request,
    parts: Parts,
    who: Who,
    identity: Annotated[Identity, Path(description="The identity it came with.", examples=["CS-0099"])],
    body: StationFields,
) -> Any:
    """It may connect from now on. Without `password` a random one is made for security profile 1 and given
    once in the answer; set it on the station.
    """
    await _must_be_here(parts, identity)
    form = StationBody.model_validate({"identity": identity, **body.model_dump()})
    _, password = await registration.register(parts, None, form)
    await audit(parts, request, who, "quarantine-approve", identity, body.model_dump(mode="json"))
    return {"identity": identity, "verdict": "approved", "password": password}


@router.post(
    "/{identity}/deny",
    summary="Dismiss an unknown station",
    response_model=Verdict,
    **operation(ADMINS, 404, whole_network=True),
)
async def deny(request: Request, parts: Parts, who: Who, identity: StrangerPath) -> Any:
    """It stays refused and leaves the list; it appears again when it comes again."""
    if not await parts.quarantine.dismiss(identity):
        raise NotFound(f"quarantined station {identity}")
    await audit(parts, request, who, "quarantine-deny", identity, {})
    return {"identity": identity, "verdict": "denied"}


async def _must_be_here(parts: ApiParts, identity: str) -> None:
    if not await parts.quarantine.holds(identity):
        raise NotFound(f"quarantined station {identity}")
