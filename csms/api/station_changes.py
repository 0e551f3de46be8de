"""PATCH and DELETE of /charging-stations, and letting stations in or keeping them out."""

from typing import Annotated, Any

from fastapi import APIRouter, Request
from pydantic import Field, StringConstraints

from csms.api.audit import audit
from csms.api.auth import ADMINS, Own, Principal, Who, operation
from csms.api.forms import Code, Form, OperatorCode, Text, with_examples
from csms.api.parts import ApiParts, Parts
from csms.api.problems import invalid
from csms.api.station_views import Station
from csms.api.stations import StationPath, shown, station_of
from csms.domain.assets import ChargingStation, OcppVersion
from csms.domain.scope import Scope
from csms.errors import NotFound
from csms.store.jsontext import json_of
from csms.store.station_desk import StationChange
from csms.vendors import profile_named

router = APIRouter(prefix="/charging-stations", tags=["Charging stations"])

MOST_LABELS = 50
Label = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{1,64}$")]
PLACE = frozenset({"site", "operator"})


class StationPatch(Form):
    """What is to be different; what is left out stays as it is."""

    name: Text | None = None
    labels: Annotated[dict[Label, Text], Field(max_length=MOST_LABELS)] | None = Field(
        default=None, description="Replaces all of them."
    )
    site: Code | None = Field(default=None, description="Moves it; null takes it off every site.")
    operator: OperatorCode | None = Field(
        default=None, description="With `site`, where two operators have a site of this code."
    )
    vendor_profile: Text | None = Field(
        default=None, description="Understand it as this make; null: as what it says of itself."
    )
    assume_version: OcppVersion | None = Field(
        default=None, description="For stations that name no OCPP version when they connect."
    )
    security_profile: Annotated[int, Field(ge=0, le=3)] | None = Field(
        default=None, description="Can only be raised; registering it anew may lower it."
    )
    max_power_w: Annotated[int, Field(gt=0, le=100_000_000)] | None = None
    hex_on_wire: bool | None = Field(
        default=None, description="It sends the hex digits of its password, where the bytes belong."
    )
    enabled: bool | None = Field(default=None, description="false keeps it out, at once.")

    model_config = with_examples({"name": "North gate, left", "labels": {"pole": "7"}})


NULLABLE = frozenset({"site", "vendor_profile", "assume_version", "max_power_w"})


@router.patch(
    "/{identity}",
    summary="Change a charging station",
    response_model=Station,
    **operation(ADMINS, 404, 413),
)
async def patch_station(
    request: Request, parts: Parts, who: Who, own: Own, identity: StationPath, body: StationPatch
) -> Any:
    """A station that moves takes its equipment along; what it charged stays where it was charged, and its
    sessions that run stay with the site they began at. It is asked to connect anew when it is to be served
    otherwise (moved, another profile or power), and shut out when it is disabled.
    """
    return await _change(request, parts, who, own, identity, body)


@router.post(
    "/{identity}/enable", summary="Let a station in", response_model=Station, **operation(ADMINS, 404)
)
async def enable_station(request: Request, parts: Parts, who: Who, own: Own, identity: StationPath) -> Any:
    """It may connect again."""
    return await _change(request, parts, who, own, identity, StationPatch(enabled=True))


@router.post(
    "/{identity}/disable", summary="Keep a station out", response_model=Station, **operation(ADMINS, 404)
)
async def disable_station(request: Request, parts: Parts, who: Who, own: Own, identity: StationPath) -> Any:
    """It is disconnected at once, wherever it is connected, and refused (403) until it is enabled."""
    return await _change(request, parts, who, own, identity, StationPatch(enabled=False))


@router.delete(
    "/{identity}",
    summary="Retire a charging station",
    response_model=Station,
    **operation(ADMINS, 404),
)
async def retire_station(request: Request, parts: Parts, who: Who, own: Own, identity: StationPath) -> Any:
    """It is disconnected and leaves every list, its password ends; its sessions and totals stay. Registering
    its identity again brings it back.
    """
    before = await _record(parts, identity, own)
    await parts.stations.retire(identity, parts.now())
    await parts.station_changed(identity)
    await audit(parts, request, who, "charging-station-retire", identity, {}, before)
    return await shown(parts, identity, own)


async def _change(
    request: Request, parts: ApiParts, who: Principal, own: Scope, identity: str, body: StationPatch
) -> dict[str, Any]:
    station = await station_of(parts, identity, own)
    asked = body.model_dump(mode="json", exclude_unset=True)
    _check(parts, station, asked, own)
    before = await _record(parts, identity, own)
    values = {name: value for name, value in asked.items() if name not in PLACE}
    if "labels" in values:
        values["labels"] = json_of(values["labels"])
    values |= {name: int(values[name]) for name in ("enabled", "hex_on_wire") if name in values}
    to = (asked.get("site"), own.operator or asked.get("operator")) if "site" in asked else None
    await parts.stations.change(identity, StationChange(values), parts.now(), to)
    await parts.station_changed(identity)
    after = await _record(parts, identity, own)
    changed = {name: after[name] for name in after if after[name] != before[name]}
    was = {name: before[name] for name in changed}
    await audit(parts, request, who, "charging-station-change", identity, changed, was)
    return await shown(parts, identity, own)


async def _record(parts: ApiParts, identity: str, own: Scope) -> dict[str, Any]:
    """What is registered of a station."""
    station = await station_of(parts, identity, own)
    found = {**await shown(parts, identity, own), **await parts.stations.details(station.station_id)}
    names = {"max_power_w", "retired_at", *StationPatch.model_fields}
    return {name: found[name] for name in sorted(names & set(found))}


def _check(parts: ApiParts, station: ChargingStation, asked: dict[str, Any], own: Scope) -> None:
    for name, value in asked.items():
        if value is None and name not in NULLABLE:
            raise invalid(f"body.{name}", "it is null", "Leave it out, or send a value.")
    if own.operator is not None and asked.get("operator") not in (None, own.operator):
        raise NotFound(f"operator {asked['operator']}")
    if own.operator is not None and "site" in asked and asked["site"] is None:
        raise invalid("body.site", "it is null", "Name a site of your operator.")
    if asked.get("operator") is not None and asked.get("site") is None:
        raise invalid("body.site", "it is missing", "Name the site of this operator it moves to.")
    if asked.get("vendor_profile") and profile_named(asked["vendor_profile"]) is None:
        raise invalid("body.vendor_profile", "there is no such profile", "Use the name of a profile.")
    profile = asked.get("security_profile")
    if profile is None:
        return
    if profile < station.security_profile:
        problem = f"it is {station.security_profile} and is not lowered like this"
        raise invalid("body.security_profile", problem, "Register the station anew to lower it.")
    accepted = parts.settings.gateway.security_profiles
    if profile not in accepted:
        problem = f"the gateway accepts security profiles {', '.join(map(str, accepted))}"
        raise invalid("body.security_profile", problem, "Use one of them.")
