"""/charging-stations: the devices, what they told of themselves, and their message log."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import Field

from csms.api import registration
from csms.api.audit import audit
from csms.api.auth import ADMINS, READERS, AskedOperator, Own, Principal, Who, operation
from csms.api.forms import Code, Identity, Page, View, with_examples
from csms.api.paging import After, Limit
from csms.api.parts import ApiParts, Parts
from csms.api.registration import StationBody
from csms.domain.assets import BootStatus, ChargingStation
from csms.errors import NotFound
from csms.store.devices import StationFilter

router = APIRouter(prefix="/charging-stations", tags=["Charging stations"])

StationPath = Annotated[
    Identity, Path(description="The station's identity, as in its URL.", examples=["CS-0001"])
]

EXAMPLE: dict[str, Any] = {
    "identity": "CS-0001",
    "operator": "123456789",
    "site": "S01",
    "enabled": True,
    "state": "online",
    "ocpp_version": "ocpp1.6",
    "security_profile": 1,
    "vendor": "Example",
    "model": "DC-60",
    "serial_number": "EX-1",
    "firmware_version": "1.0.3",
    "boot_status": "accepted",
    "max_power_w": 60000,
    "last_seen_at": "2026-01-01T10:00:00.000Z",
    "connected_at": "2026-01-01T08:00:00.000Z",
    "disconnected_at": None,
    "remote_address": "192.0.2.17",
    "connectors": [
        {
            "evse": 1,
            "connector": 1,
            "status": "charging",
            "error_code": "NoError",
            "since": "2026-01-01T09:58:00.000Z",
        }
    ],
    "live_sessions": ["1767261600000001"],
}


class Connector(View):
    """A connector's last known state. EVSE 0 is the whole station."""

    evse: int
    connector: int
    status: str
    error_code: str
    since: str | None


class Station(View):
    """A charging station."""

    identity: str
    operator: str | None
    site: str | None
    enabled: bool
    state: Literal["online", "offline", "never-seen"]
    ocpp_version: str | None
    security_profile: int
    vendor: str | None
    model: str | None
    serial_number: str | None
    firmware_version: str | None
    boot_status: str
    max_power_w: int | None
    last_seen_at: str | None
    connected_at: str | None
    disconnected_at: str | None
    remote_address: str | None
    connectors: list[Connector]
    live_sessions: list[str] = Field(description="`session_id` of each session that has not ended.")

    model_config = with_examples(EXAMPLE)


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


async def station_of(parts: ApiParts, identity: str, own: str | None) -> ChargingStation:
    """The registered station, if this key may see it. Raises NotFound."""
    station = await parts.registry.station(identity)
    if station is None or own not in (None, station.operator_code):
        raise NotFound(f"charging station {identity}")
    return station


@router.get("", summary="List charging stations", response_model=Page[Station], **operation(READERS, 404))
async def list_stations(
    parts: Parts,
    operator: AskedOperator,
    limit: Limit,
    after: After = None,
    site: Annotated[Code | None, Query(description="Only at this site (code).")] = None,
    state: Annotated[
        Literal["online", "offline", "never-seen"] | None, Query(description="Only in this state.")
    ] = None,
) -> Any:
    """By identity, with connectors and the sessions that run."""
    return (await parts.devices.find(StationFilter(operator, site, state), after, limit))._asdict()


@router.get("/{identity}", summary="One charging station", response_model=Station, **operation(READERS, 404))
async def one_station(parts: Parts, own: Own, identity: StationPath) -> Any:
    """A station by its identity."""
    return await _shown(parts, identity, own)


@router.post(
    "",
    summary="Register or change a charging station",
    response_model=RegisteredStation,
    response_model_exclude_none=False,
    status_code=201,
    **operation(ADMINS, 404, 409, 413),
)
async def put_station(
    request: Request, response: Response, parts: Parts, who: Who, own: Own, body: StationBody
) -> Any:
    """By `identity`: 201 when it is new, 200 when it was changed. Without `password` a station of security
    profile 1 that has none gets a random one, which is in the answer and nowhere else.
    """
    is_new, password = await registration.register(parts, own, body)
    await audit(parts, request, who, "charging-station-put", body.identity, body.model_dump(mode="json"))
    response.status_code = 201 if is_new else 200
    return {**await _shown(parts, body.identity, own), "password": password}


@router.post(
    "/{identity}/approve",
    summary="Let a pending station work",
    response_model=Station,
    **operation(ADMINS, 404),
)
async def approve_station(request: Request, parts: Parts, who: Who, own: Own, identity: StationPath) -> Any:
    """Accepted at its next boot (`boot.approve: false` keeps new stations pending until then)."""
    return await _decide(request, parts, who, own, identity, BootStatus.ACCEPTED)


@router.post(
    "/{identity}/reject",
    summary="Refuse a station at its next boot",
    response_model=Station,
    **operation(ADMINS, 404),
)
async def reject_station(request: Request, parts: Parts, who: Who, own: Own, identity: StationPath) -> Any:
    """It may connect and boot, and is told to wait; what it reports of transactions in 1.6 is still kept."""
    return await _decide(request, parts, who, own, identity, BootStatus.REJECTED)


@router.get(
    "/{identity}/messages",
    summary="Message log of a station",
    response_model=Page[Message],
    **operation(READERS, 404),
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
    **operation(READERS, 404),
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
    **operation(READERS, 404),
)
async def station_variables(parts: Parts, own: Own, identity: StationPath) -> Any:
    """Variables (1.6: configuration keys) as last reported. GetBaseReport has them reported again."""
    station = await station_of(parts, identity, own)
    return {"items": await parts.devices.variables(station.station_id)}


async def _decide(
    request: Request, parts: ApiParts, who: Principal, own: str | None, identity: str, status: BootStatus
) -> dict[str, Any]:
    await station_of(parts, identity, own)
    await parts.registry.set_boot_status(identity, status)
    await audit(parts, request, who, f"station {status.value}", identity, {})
    return await _shown(parts, identity, own)


async def _shown(parts: ApiParts, identity: str, own: str | None) -> dict[str, Any]:
    shown = await parts.devices.shown(identity, own)
    if shown is None:
        raise NotFound(f"charging station {identity}")
    return shown
