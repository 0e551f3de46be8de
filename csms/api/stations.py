"""/charging-stations: the devices, what they told of themselves, and their message log."""

from dataclasses import dataclass, fields
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from pydantic import Field

from csms.api import registration
from csms.api.audit import audit
from csms.api.auth import ADMINS, READERS, AskedOperator, Own, Principal, Who, operation
from csms.api.forms import Code, Identity, Page, Text, View, with_examples
from csms.api.paging import After, Limit
from csms.api.parts import ApiParts, Parts
from csms.api.registration import StationBody
from csms.api.station_views import EXAMPLE, Station, StationCounts, StationDetail
from csms.domain.assets import BootStatus, ChargingStation, ConnectorStatus, OcppVersion
from csms.domain.scope import Scope
from csms.errors import NotFound
from csms.store.devices import StationFilter

router = APIRouter(prefix="/charging-stations", tags=["Charging stations"])

StationPath = Annotated[
    Identity, Path(description="The station's identity, as in its URL.", examples=["CS-0001"])
]


class RegisteredStation(Station):
    """A charging station just registered."""

    password: str | None = Field(default=None, description="The generated password; shown this once.")

    model_config = with_examples(EXAMPLE | {"password": "kV8w2nQ0Zr5yT3bLx9Hd"})


class Message(View):
    """One request and its answer."""

    at: str | None
    direction: Literal["in", "out"] = Field(description="in: from the station.")
    message_id: str
    action: str
    request: str = Field(description="The payload as it was sent, perhaps cut.")
    answer: str | None
    outcome: str
    latency_ms: float | None

    model_config = with_examples(
        {
            "at": "2026-01-01T10:00:00.000Z",
            "direction": "in",
            "message_id": "17",
            "action": "Heartbeat",
            "request": "{}",
            "answer": '{"currentTime":"2026-01-01T10:00:00.000Z"}',
            "outcome": "answered",
            "latency_ms": 0.8,
        }
    )


class StationEvent(View):
    """Something a station did, or that was done to its connection."""

    kind: str = Field(examples=["connected"])
    at: str | None = Field(examples=["2026-01-01T10:00:00.000Z"])
    received_at: str | None = Field(examples=["2026-01-01T10:00:00.000Z"])
    details: Any = Field(examples=[{"version": "ocpp1.6"}])


class Variable(View):
    """An attribute of a variable (1.6: a configuration key) as last reported."""

    component: str = Field(examples=["SampledDataCtrlr"])
    variable: str = Field(examples=["TxUpdatedInterval"])
    attribute: str = Field(examples=["Actual"])
    value: str | None = Field(examples=["60"])
    mutability: str = Field(examples=["ReadWrite"])
    characteristics: Any = Field(default=None, examples=[{"dataType": "integer"}])
    received_at: str | None = Field(examples=["2026-01-01T10:00:00.000Z"])


class Variables(View):
    """What a station's device model holds."""

    items: list[Variable]


async def station_of(parts: ApiParts, identity: str, own: Scope) -> ChargingStation:
    """The registered station, if this key may see it. Raises NotFound."""
    station = await parts.registry.station(identity)
    if station is None or not own.sees(station.operator_code, station.site_code):
        raise NotFound(f"charging station {identity}")
    return station


@dataclass(frozen=True, slots=True)
class StationQuery:
    """Filters of lists and numbers."""

    site: Annotated[Code | None, Query(description="Only at this site (code).")] = None
    state: Annotated[
        Literal["online", "offline", "never-seen"] | None, Query(description="Only in this state.")
    ] = None
    district: Annotated[
        str | None,
        Query(pattern=r"^[0-9]{2,12}$", description="The area code (GB/T 2260) of the site begins so."),
    ] = None
    connector: Annotated[
        ConnectorStatus | None, Query(description="One of its connectors has this status.")
    ] = None
    has_fault: Annotated[bool | None, Query(description="Whether a connector tells of a fault now.")] = None
    version: Annotated[OcppVersion | None, Query(description="It speaks this version.")] = None
    vendor: Annotated[Text | None, Query(description="As it says itself.")] = None
    model: Annotated[Text | None, Query(description="As it says itself.")] = None
    firmware: Annotated[Text | None, Query(description="As it says itself.")] = None
    registration: Annotated[
        Literal["accepted", "pending", "rejected", "disabled"] | None,
        Query(description="Whether it may work."),
    ] = None
    prefix: Annotated[
        Text | None, Query(min_length=1, description="Identity, name or serial number begins so.")
    ] = None
    retired: Annotated[bool, Query(description="Those that were retired, instead of all others.")] = False


def wanted(
    operator: AskedOperator,
    own: Own,
    asked: Annotated[StationQuery, Depends()],
) -> StationFilter:
    """Which stations are meant."""
    return StationFilter(operator, scope=own, **{f.name: getattr(asked, f.name) for f in fields(asked)})


Wanted = Annotated[StationFilter, Depends(wanted)]


@router.get(
    "",
    summary="List charging stations",
    response_model=Page[Station],
    **operation(READERS, 404, by_site=True),
)
async def list_stations(
    parts: Parts,
    which: Wanted,
    limit: Limit,
    after: After = None,
    sort: Annotated[
        Literal["identity", "last-seen", "state"], Query(description="last-seen: the latest first.")
    ] = "identity",
) -> Any:
    """With connectors and the sessions that run."""
    return (await parts.devices.find(which, after, limit, sort))._asdict()


@router.get(
    "/counts",
    summary="Count charging stations",
    response_model=StationCounts,
    **operation(READERS, 404, by_site=True),
)
async def count_stations(parts: Parts, which: Wanted) -> Any:
    """How many stations and connectors are in each state, of those a list with these filters would show."""
    return await parts.devices.counts(which)


@router.get(
    "/{identity}",
    summary="One charging station",
    response_model=StationDetail,
    **operation(READERS, 404, by_site=True),
)
async def one_station(parts: Parts, own: Own, identity: StationPath) -> Any:
    """Everything that is known of a station, never a secret; one that was retired, too."""
    station = await station_of(parts, identity, own)
    return {**await shown(parts, identity, own), **await parts.stations.details(station.station_id)}


@router.post(
    "",
    summary="Register or change a charging station",
    response_model=RegisteredStation,
    response_model_exclude_none=False,
    status_code=201,
    **operation(ADMINS, 404, 409, 413, also={200: RegisteredStation}),
)
async def put_station(
    request: Request, response: Response, parts: Parts, who: Who, own: Own, body: StationBody
) -> Any:
    """By `identity`: 201 when it is new, 200 when it was changed. Without `password` a station of security
    profile 1 that has none gets a random one, which is in the answer and nowhere else.
    """
    is_new, password = await registration.register(parts, own.operator, body)
    await audit(parts, request, who, "charging-station-put", body.identity, body.model_dump(mode="json"))
    response.status_code = 201 if is_new else 200
    return {**await shown(parts, body.identity, own), "password": password}


@router.post(
    "/{identity}/approve",
    summary="Let a pending station work",
    response_model=Station,
    **operation(ADMINS, 404, by_site=True),
)
async def approve_station(request: Request, parts: Parts, who: Who, own: Own, identity: StationPath) -> Any:
    """Accepted at its next boot (`boot.approve: false` keeps new stations pending until then)."""
    return await _decide(request, parts, who, own, identity, BootStatus.ACCEPTED)


@router.post(
    "/{identity}/reject",
    summary="Refuse a station at its next boot",
    response_model=Station,
    **operation(ADMINS, 404, by_site=True),
)
async def reject_station(request: Request, parts: Parts, who: Who, own: Own, identity: StationPath) -> Any:
    """It may connect and boot, and is told to wait; what it reports of transactions in 1.6 is still kept."""
    return await _decide(request, parts, who, own, identity, BootStatus.REJECTED)


@router.get(
    "/{identity}/messages",
    summary="Message log of a station",
    response_model=Page[Message],
    **operation(READERS, 404, by_site=True),
)
async def station_messages(
    parts: Parts, own: Own, identity: StationPath, limit: Limit, after: After = None
) -> Any:
    """What the station and we said to each other, latest first; kept for some days."""
    station = await station_of(parts, identity, own)
    return (await parts.devices.messages(station.station_id, after, limit))._asdict()


@router.get(
    "/{identity}/events",
    summary="Events of a station",
    response_model=Page[StationEvent],
    **operation(READERS, 404, by_site=True),
)
async def station_events(
    parts: Parts, own: Own, identity: StationPath, limit: Limit, after: After = None
) -> Any:
    """Connections, boots, security events, firmware and log progress, monitors; latest first."""
    station = await station_of(parts, identity, own)
    return (await parts.devices.events(station.station_id, after, limit))._asdict()


@router.get(
    "/{identity}/variables",
    summary="Device model of a station",
    response_model=Variables,
    **operation(READERS, 404, by_site=True),
)
async def station_variables(parts: Parts, own: Own, identity: StationPath) -> Any:
    """Variables (1.6: configuration keys) as last reported. GetBaseReport has them reported again."""
    station = await station_of(parts, identity, own)
    return {"items": await parts.devices.variables(station.station_id)}


async def _decide(
    request: Request, parts: ApiParts, who: Principal, own: Scope, identity: str, status: BootStatus
) -> dict[str, Any]:
    await station_of(parts, identity, own)
    await parts.registry.set_boot_status(identity, status, parts.now())
    await audit(parts, request, who, f"station {status.value}", identity, {})
    return await shown(parts, identity, own)


async def shown(parts: ApiParts, identity: str, own: Scope) -> dict[str, Any]:
    """A station as lists show it. Raises NotFound."""
    found = await parts.devices.shown(identity, own)
    if found is None:
        raise NotFound(f"charging station {identity}")
    return found
