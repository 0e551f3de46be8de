"""How charging stations are shown: in lists, alone, and as numbers. Knows no route."""

from typing import Any, Literal

from pydantic import Field

from csms.api.forms import View, with_examples

EXAMPLE: dict[str, Any] = {
    "identity": "CS-0001",
    "name": "North gate, left",
    "labels": {"pole": "7"},
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
    "retired_at": None,
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
    name: str
    labels: dict[str, str]
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
    retired_at: str | None
    connectors: list[Connector]
    live_sessions: list[str] = Field(description="`session_id` of each session that has not ended.")

    model_config = with_examples(EXAMPLE)


class Link(View):
    """The connection: since when it is there, or since when it is not."""

    address: str | None = Field(examples=["192.0.2.17"])
    since: str | None = Field(examples=["2026-01-01T08:00:00.000Z"])
    ocpp_version: str | None = Field(examples=["ocpp1.6"])
    highest_profile: int = Field(description="The highest it has connected with.", examples=[1])
    epoch: int = Field(description="Counts its connections.", examples=[17])
    node: str = Field(description="The process that holds it, where there are several.", examples=["a"])


class CredentialsState(View):
    """Whether there is a password. Passwords themselves are not kept."""

    has_password: bool
    is_changing: bool = Field(description="Two are valid until the station has used one of them.")
    hex_on_wire: bool


class RunningSession(View):
    """A session that has not ended."""

    session_id: str = Field(examples=["1767261600000001"])
    evse: int
    connector: int
    state: str = Field(examples=["active"])
    token: str = Field(examples=["A1"])
    started_at: str | None
    energy_wh: int | None


class Fault(View):
    """A fault of a connector, as it was told."""

    evse: int
    connector: int
    status: str = Field(examples=["faulted"])
    error_code: str = Field(examples=["GroundFailure"])
    info: str
    vendor_error: str
    at: str | None


class DeviceModel(View):
    """How much the station has told of its configuration; /variables has it."""

    variables: int
    reported_at: str | None


class StationDetail(Station):
    """A charging station with everything that is known of it."""

    assume_version: str | None
    vendor_profile: str | None
    boot: dict[str, Any]
    created_at: str | None
    connection: Link
    credentials: CredentialsState
    device_model: DeviceModel
    sessions: list[RunningSession]
    faults: list[Fault] = Field(description="The last ones, latest first.")


class StationCounts(View):
    """How many there are of what a filter selects."""

    stations: dict[str, int] = Field(examples=[{"online": 91, "offline": 8, "never-seen": 1}])
    connectors: dict[str, int] = Field(examples=[{"available": 120, "charging": 61, "faulted": 2}])
