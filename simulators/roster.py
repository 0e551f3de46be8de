"""Who takes part in a fleet: operators, sites, stations, tokens, drawn from a seed or named by the scenario.

Knows no socket. What it draws depends on seed and identity alone, so a station
is the same in every run; ids and times are the run's own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from simulators.battery import Supply
from simulators.scenario import CALM, Company, Device, Liberties, Place, Scenario, Weather
from simulators.traits import SUBPROTOCOLS, Traits

Row = dict[str, Any]

MAKES = {"1.6": ("Beichuang", "BC"), "2.0.1": ("Lantian", "LT"), "2.1": ("Hanwei", "HW")}
BEIJING = (39.9042, 116.4074)
GUESTS = 10


@dataclass(frozen=True, slots=True)
class Member:
    """One station of the fleet with everything that does not change between runs."""

    traits: Traits
    site: str
    supplies: tuple[Supply, ...]
    tokens: tuple[tuple[str, ...], ...]
    """Who charges at each EVSE."""
    misbehave: tuple[str, ...]
    weather: Weather
    compression: bool
    marked_offline: bool
    skew_s: float

    @property
    def identity(self) -> str:
        """The station's identity."""
        return self.traits.identity


@dataclass(frozen=True, slots=True)
class Roster:
    """The whole fleet. `guests` are tokens that no simulated driver uses: left to people to try."""

    operators: tuple[Company, ...]
    sites: tuple[Place, ...]
    members: tuple[Member, ...]
    guests: tuple[str, ...]

    def password(self, member: Member, common: str | None) -> str:
        """The station's Basic password: the common one, else one of its own that stays the same."""
        return common or hashlib.sha256(f"simulators {member.identity}".encode()).hexdigest()[:20]

    def registry(self, common: str | None) -> list[tuple[str, list[Row]]]:
        """What to provision, in order: (API resource, rows)."""
        of_members = (token for member in self.members for group in member.tokens for token in group)
        tokens = [*self.guests, *of_members]
        return [
            (
                "operators",
                [{"code": o.code, "name": o.name, "time_zone": o.time_zone} for o in self.operators],
            ),
            ("sites", [_site(place) for place in self.sites]),
            ("charging-stations", [_station(m, self.password(m, common)) for m in self.members]),
            ("id-tokens", [{"token": t, "type": "ISO14443", "status": "accepted"} for t in tokens]),
        ]


@dataclass(frozen=True, slots=True)
class Size:
    """How large a drawn fleet is and what it is called."""

    stations: int = 200
    sites: int = 10
    versions: tuple[str, ...] = ("1.6", "2.0.1", "2.1")
    prefix: str = "SIM"
    operator: str = "123456789"


def muster(scenario: Scenario, size: Size, seed: int) -> Roster:
    """The fleet of a scenario: its named stations, or as many as asked."""
    if scenario.stations:
        return _named_fleet(scenario, size, seed)
    company = Company(size.operator, f"Simulated operator {size.operator}")
    sites = tuple(_drawn_site(number, size) for number in range(1, size.sites + 1))
    members = tuple(_drawn(number, sites, scenario, size, seed) for number in range(1, size.stations + 1))
    return Roster((company,), sites, members, ())


def _drawn_site(number: int, size: Size) -> Place:
    rng = Random(f"{size.prefix} site {number}")
    latitude, longitude = BEIJING[0] + rng.uniform(-0.2, 0.2), BEIJING[1] + rng.uniform(-0.25, 0.25)
    code = f"{size.prefix}-S{number:02d}"
    return Place(code, size.operator, f"Simulated site {code}", round(latitude, 5), round(longitude, 5))


def _drawn(number: int, sites: Sequence[Place], scenario: Scenario, size: Size, seed: int) -> Member:
    identity = f"{size.prefix}-{number:04d}"
    rng = Random(f"{seed}/{identity}")
    version = size.versions[number % len(size.versions)]
    dc = rng.random() < scenario.dc_share
    device = Device(
        identity,
        sites[number % len(sites)].code,
        version,
        evses=2 if rng.random() < scenario.two_evses_share else 1,
        kw=rng.choice((60, 120, 180)) if dc else rng.choice((7, 11, 22)),
        dc=dc,
        vendor=MAKES[version][0],
        model=f"{MAKES[version][1]}-{'D' if dc else 'A'}",
        misbehave=(rng.choice(scenario.oddities.names),) if rng.random() < scenario.oddities.share else (),
    )
    tokens = tuple((f"{size.prefix}{number:04d}E{evse}",) for evse in range(1, device.evses + 1))
    return _member(device, scenario, rng, tokens)


def _named_fleet(scenario: Scenario, size: Size, seed: int) -> Roster:
    names = [f"{scenario.driver_prefix}{number:04d}" for number in range(1, scenario.drivers + 1)]
    regulars = names[GUESTS:]
    each = len(regulars) // sum(device.evses for device in scenario.stations)
    members = []
    for device in scenario.stations:
        tokens = tuple(tuple(regulars[each * n : each * (n + 1)]) for n in range(device.evses))
        regulars = regulars[each * device.evses :]
        rng = Random(f"{seed}/{size.prefix}/{device.identity}")
        members.append(_member(device, scenario, rng, tokens))
    return Roster(scenario.operators, scenario.sites, tuple(members), tuple(names[:GUESTS]))


def _member(device: Device, scenario: Scenario, rng: Random, tokens: tuple[tuple[str, ...], ...]) -> Member:
    phases = 1 if device.kw <= 7 and not device.dc else 3
    free = scenario.liberties
    return Member(
        traits=_traits(device, free, rng),
        site=device.site,
        supplies=(Supply(device.dc, device.kw * 1000, phases),) * device.evses,
        tokens=tokens,
        misbehave=device.misbehave,
        weather=scenario.weather if rng.random() < scenario.flaky_share else CALM,
        compression=rng.random() < free.compressed_link,
        marked_offline=rng.random() < free.marked_offline,
        skew_s=rng.uniform(*free.clock_skew_s),
    )


def _traits(device: Device, free: Liberties, rng: Random) -> Traits:
    return Traits(
        identity=device.identity,
        version=device.version,
        vendor=device.vendor,
        model=device.model,
        serial=f"{device.model}{rng.randrange(10**8):08d}",
        energy_in_kwh=rng.random() < free.energy_in_kwh,
        unit_spelled=rng.random() >= free.unit_left_out,
        evse_once=rng.random() < free.evse_once,
        transaction_data=rng.random() < free.transaction_data,
        same_id_on_retry=rng.random() >= free.new_id_on_retry,
        boot_on_reconnect=rng.random() < free.boot_on_reconnect,
    )


def _site(place: Place) -> Row:
    return {
        "code": place.code,
        "operator": place.operator,
        "name": place.name,
        "latitude": place.latitude,
        "longitude": place.longitude,
    }


def _station(member: Member, password: str) -> Row:
    return {
        "identity": member.identity,
        "site": member.site,
        "password": password,
        "security_profile": 1,
        "assume_version": SUBPROTOCOLS["1.6"] if "no-subprotocol" in member.misbehave else None,
        "max_power_w": int(max(supply.max_w for supply in member.supplies) * len(member.supplies)),
    }
