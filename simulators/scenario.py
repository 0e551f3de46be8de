"""Scenarios: how a fleet is made up and how its connections behave. YAML into frozen structs.

An unknown key or a wrong type is an error that names its place, never a default.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

SHIPPED = Path(__file__).with_name("scenarios")

Span = tuple[float, float]
"""Lowest and highest of a value drawn evenly."""


class ScenarioError(Exception):
    """The scenario cannot be used."""

    def __str__(self) -> str:
        return " ".join([str(type(self).__doc__), *map(str, self.args)])


class Weather(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How bad a connection is: chances for each transaction message, and seconds without connection.

    `tear`: the socket is torn right after sending. `swallow`: the answer arrives, is
    lost, and the connection with it. `deaf`: the answer alone is lost and the message
    is sent again on the same connection. `drop`: the connection goes before sending.
    `power`: the station's power goes with it, which ends its sessions.
    """

    tear: float = 0.0
    swallow: float = 0.0
    deaf: float = 0.0
    drop: float = 0.0
    power: float = 0.0
    offline_s: Span = (0.1, 1.0)


CALM = Weather()


class Sessions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How charging sessions are: minutes of the station's clock, seconds between samples."""

    minutes: Span = (8, 20)
    gap_minutes: Span = (1, 6)
    sample_s: float = 60
    fault_share: float = 0.03
    ev_disconnect_share: float = 0.15


class Liberties(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Shares of stations that use a liberty of the specification (see `traits.Traits`)."""

    energy_in_kwh: float = 0.25
    unit_left_out: float = 0.3
    evse_once: float = 0.5
    transaction_data: float = 0.4
    new_id_on_retry: float = 0.5
    boot_on_reconnect: float = 0.3
    marked_offline: float = 0.5
    compressed_link: float = 0.1
    clock_skew_s: Span = (-2, 2)


class Oddities(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which share of stations misbehaves; each of those has one of the named misbehaviours."""

    share: float = 0.0
    names: tuple[str, ...] = ()


class Place(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A site that a scenario names."""

    code: str
    operator: str
    name: str
    latitude: float
    longitude: float


class Company(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An operator that a scenario names."""

    code: str
    name: str
    time_zone: str = "Asia/Shanghai"


class Device(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A charging station that a scenario names."""

    identity: str
    site: str
    version: str
    evses: int = 1
    kw: float = 7
    dc: bool = False
    vendor: str = "Lantian"
    model: str = "LT-7"
    misbehave: tuple[str, ...] = ()


class Backfill(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Past sessions told before going live: how many a day on one EVSE, how long, how often sampled."""

    daily: Span = (3, 7)
    minutes: Span = (25, 90)
    sample_s: float = 600


class Scenario(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything a fleet needs to know besides its size and its seed."""

    name: str
    what: str
    starts_hours_ago: float = 24
    sessions: Sessions = Sessions()
    flaky_share: float = 0.0
    weather: Weather = CALM
    liberties: Liberties = Liberties()
    oddities: Oddities = Oddities()
    dc_share: float = 0.4
    two_evses_share: float = 0.3
    backoff_s: Span = (0.2, 2.0)
    call_timeout_s: float = 30
    ramp_s: float = 2.0
    connects_at_once: int = 50
    operators: tuple[Company, ...] = ()
    sites: tuple[Place, ...] = ()
    stations: tuple[Device, ...] = ()
    drivers: int = 0
    driver_prefix: str = "DEMO"
    backfill: Backfill = Backfill()


def load(name: str) -> Scenario:
    """A shipped scenario by its name, or one from a file. Raises ScenarioError with the reason."""
    path = SHIPPED / f"{name}.yaml"
    if not path.is_file():
        path = Path(name)
    if not path.is_file():
        raise ScenarioError(f"{name!r} is neither a file nor one of {', '.join(shipped())}")
    try:
        return msgspec.yaml.decode(path.read_bytes(), type=Scenario)
    except msgspec.DecodeError as exc:
        raise ScenarioError(f"{path}: {exc}") from exc


def shipped() -> list[str]:
    """The names of the scenarios that come with the simulators."""
    return sorted(path.stem for path in SHIPPED.glob("*.yaml"))
