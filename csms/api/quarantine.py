"""/quarantine: stations nobody registered that tried to connect. They belong to no operator yet."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from pydantic import Field

from csms.api import registration
from csms.api.audit import audit
from csms.api.auth import ADMINS, Who, operation
from csms.api.forms import Form, Identity, Page, Text, View, with_examples
from csms.api.paging import After, Limit
from csms.api.parts import ApiParts, Parts
from csms.api.problems import invalid
from csms.api.registration import StationBody, StationFields
from csms.api.stations import station_of
from csms.domain.credentials import fault_of_password, generate_password, hash_password
from csms.domain.scope import WHOLE
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
    denied_at: str | None


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
    response_model=Page[Stranger],
    **operation(ADMINS, whole_network=True),
)
async def list_strangers(
    parts: Parts,
    limit: Limit,
    after: After = None,
    denied: Annotated[bool, Query(description="Those that were denied, instead of all others.")] = False,
) -> Any:
    """Latest first. They were refused (or served for a demonstration, if so configured)."""
    return (await parts.quarantine.find(denied, after, limit))._asdict()


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
    """It stays refused and leaves the list for good, also when it comes again; `denied=true` lists it, and
    it may still be approved.
    """
    if not await parts.quarantine.deny(identity, parts.now()):
        raise NotFound(f"quarantined station {identity}")
    await audit(parts, request, who, "quarantine-deny", identity, {})
    return {"identity": identity, "verdict": "denied"}


class LinkBody(Form):
    """The registered station whose hardware was exchanged."""

    charging_station: Identity = Field(description="The identity it was registered with.")
    password: Annotated[str, Field(min_length=1, max_length=64)] | None = Field(
        default=None, description="What the new hardware has; without it a random one is made."
    )

    model_config = with_examples({"charging_station": "CS-0001"})


@router.post(
    "/{identity}/link",
    summary="Exchange a station's hardware for an unknown one",
    response_model=Verdict,
    **operation(ADMINS, 404, 409, 413, whole_network=True),
)
async def link(
    request: Request,
    parts: Parts,
    who: Who,
    identity: Annotated[Identity, Path(description="The identity it came with.", examples=["CS-0099"])],
    body: LinkBody,
) -> Any:
    """The registered station goes on under the new identity, with its site, sessions and totals; the old
    hardware is disconnected and unknown from then on.
    """
    await _must_be_here(parts, identity)
    await station_of(parts, body.charging_station, WHOLE)
    fault = None if body.password is None else fault_of_password(body.password.encode())
    if fault is not None:
        raise invalid("body.password", fault, "Send 16 to 40 bytes, or leave it out to have one generated.")
    generated = generate_password() if body.password is None else None
    secret = hash_password((generated or body.password or "").encode())
    await parts.stations.exchange(body.charging_station, identity, secret, parts.now())
    await parts.station_changed(body.charging_station)
    was = {"identity": body.charging_station}
    await audit(parts, request, who, "quarantine-link", identity, {"identity": identity}, was)
    return {"identity": identity, "verdict": "linked", "password": generated}


async def _must_be_here(parts: ApiParts, identity: str) -> None:
    if not await parts.quarantine.holds(identity):
        raise NotFound(f"quarantined station {identity}")
