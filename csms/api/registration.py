"""Registering a charging station: shared by /charging-stations and /quarantine. Knows passwords' rules."""

from typing import Annotated

from pydantic import Field

from csms.api.forms import Code, Form, Identity, OperatorCode, with_examples
from csms.api.parts import ApiParts
from csms.api.problems import invalid
from csms.domain.assets import OcppVersion
from csms.domain.credentials import fault_of_password, generate_password, hash_password
from csms.errors import Conflict
from csms.store.registry import StationForm

EXAMPLE = {
    "identity": "CS-0001",
    "site": "S01",
    "password": "0123456789abcdef",
    "security_profile": 1,
    "assume_version": None,
    "max_power_w": 60000,
}


class StationFields(Form):
    """What is registered of a station beside its identity."""

    site: Code | None = Field(default=None, description="Where it stands.")
    operator: OperatorCode | None = Field(
        default=None, description="Needed where two operators have a site of this code."
    )
    password: Annotated[str, Field(min_length=1, max_length=64)] | None = Field(
        default=None, description="16 to 40 bytes (1.6: at most 20). Kept as a salted hash only."
    )
    security_profile: Annotated[int, Field(ge=0, le=1)] = Field(default=1, description="0: no password.")
    assume_version: OcppVersion | None = Field(
        default=None, description="For stations that name no OCPP version when they connect."
    )
    max_power_w: Annotated[int, Field(gt=0, le=100_000_000)] | None = Field(
        default=None, description="What it can deliver, W; bounds plausible energy."
    )
    enabled: bool = Field(default=True, description="false keeps it out.")


class StationBody(StationFields):
    """A charging station."""

    identity: Identity = Field(description="As in its URL: at most 48 letters, digits and . _ = + @ * | -")

    model_config = with_examples(EXAMPLE)


async def register(parts: ApiParts, own: str | None, body: StationBody) -> tuple[bool, str | None]:
    """Put the station into the registry: whether it is new, and the password if one was generated.

    Raises NotFound for an unknown site, Conflict when the identity is taken by another operator, and
    Problem 422.
    """
    known = await parts.registry.credentials(body.identity)
    if own is not None and body.site is None:
        raise invalid("body.site", "it is missing", "Name a site of your operator.")
    if known is not None and own not in (None, known.station.operator_code):
        raise Conflict(f"the identity {body.identity} cannot be used; choose another")
    _check(parts, body)
    has_password = known is not None and known.password_hash is not None
    generated = None
    if body.security_profile > 0 and body.password is None and not has_password:
        generated = generate_password()
    is_new = await parts.registry.put_station(_form(body, own, generated or body.password), parts.now())
    if known is not None:
        await parts.station_changed(body.identity)
    return is_new, generated


def _check(parts: ApiParts, body: StationBody) -> None:
    accepted = parts.settings.gateway.security_profiles
    if body.security_profile not in accepted:
        problem = f"the gateway accepts security profiles {', '.join(map(str, accepted))}"
        raise invalid(
            "body.security_profile", problem, "Use one of them, or change gateway.security_profiles."
        )
    fault = None if body.password is None else fault_of_password(body.password.encode())
    if fault is not None:
        raise invalid("body.password", fault, "Send 16 to 40 bytes, or leave it out to have one generated.")


def _form(body: StationBody, own: str | None, password: str | None) -> StationForm:
    return StationForm(
        identity=body.identity,
        site=body.site,
        operator=own or body.operator,
        secret=None if password is None else hash_password(password.encode()),
        security_profile=body.security_profile,
        assume_version=body.assume_version,
        max_power_w=body.max_power_w,
        enabled=body.enabled,
    )
