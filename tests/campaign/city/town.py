"""A town for the campaign: csms, its three operators, and a simulated city for each of their platforms.

Every part is a process of its own. A platform's profile is a file that extends the bundled one: the same
fields and rules, with its waits divided by `scale`, so that a day passes in seconds, and without its limit of
messages per second.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import yaml

from csms.reporting.tcec.profile import load_profile
from simulators.city_seal import DEMO_SECRET
from tests.campaign.kit import PASSWORD
from tests.serverkit import Child, CsmsServer, free_port

SHORTEST_WAIT_S = 0.05
BAND_MINUTES = 30
DAY_S = 86_400
TROUBLE = (
    *("lose~0.06", "drop~0.02", "http500~0.03", "error500~0.03", "refuse~0.02", "busy~0.02"),
    *("token-expired~0.03", "bad-mac~0.04", "html~0.02", "forged~0.02", "duplicate-keys~0.02"),
)
PERIODS = ("valley", "flat", "peak", "sharp")


@dataclass(frozen=True, slots=True)
class Platform:
    """One entry of `reporting.platforms` and the city behind it."""

    name: str
    profile: str
    operator: str
    faults: tuple[str, ...] = TROUBLE


def fast_profile(base: str, scale: float, directory: Path) -> Path:
    """The bundled profile with every wait divided by `scale`."""
    pushes = {
        kind: {"retry_s": [round(max(wait / scale, SHORTEST_WAIT_S), 3) for wait in push.retry_s]}
        for kind, push in load_profile(base).sent().items()
    }
    name = f"{base}-fast"
    file = directory / f"{name}.yaml"
    limits = {"requests_per_s": 1_000}
    file.write_text(yaml.safe_dump({"extends": base, "name": name, "pushes": pushes, "limits": limits}))
    return file


class City:
    """A simulated city in a process of its own. It keeps its ledger in a file and its port over restarts."""

    def __init__(self, platform: Platform, directory: Path, behave: Iterable[str], seed: int = 7) -> None:
        self.platform, self.port = platform, free_port()
        faults = [part for text in behave for part in ("--behave", text)]
        program = [
            *(sys.executable, "-m", "simulators", "city", "--profile", platform.profile),
            *("--port", str(self.port), "--operator-id", platform.operator, "--seed", str(seed)),
            *("--ledger", str(directory / f"ledger-{platform.name}.db"), *faults),
        ]
        self.child = Child(f"city-{platform.name}", program, directory)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        self.child.spawn()
        await self.child.listening(self.port)

    async def restart(self) -> None:
        """SIGKILL, and again on what the file has kept."""
        self.child.kill()
        await self.start()

    async def get(self, path: str) -> Any:
        """What it tells, numbers as Decimal."""
        async with httpx.AsyncClient(timeout=30, trust_env=False) as client:
            answer = (await client.get(self.url + path)).raise_for_status()
        return json.loads(answer.text, parse_float=Decimal)

    async def behave(self, *faults: str) -> None:
        """The faults in force from now on."""
        await self._post("/behave", {"behave": list(faults)})

    async def falsify(self, seq: str) -> None:
        """Keep an order wrong by 1 kWh and 1 CNY."""
        await self._post("/falsify", {"order": seq})

    async def _post(self, path: str, body: dict[str, Any]) -> None:
        async with httpx.AsyncClient(timeout=30, trust_env=False) as client:
            (await client.post(self.url + path, json=body)).raise_for_status()

    def entry(self, profile: Path) -> dict[str, Any]:
        """Its entry in the settings of csms."""
        secrets = ("operator_secret", "data_secret", "data_secret_iv", "sig_secret")
        one = {"name": self.platform.name, "profile": str(profile), "url": self.url}
        return {**one, "operator": self.platform.operator, **dict.fromkeys(secrets, DEMO_SECRET)}


class Town:
    """csms and its cities. `cities` are by name of their platform."""

    def __init__(
        self,
        directory: Path,
        platforms: Iterable[Platform],
        *,
        day_s: float,
        away: tuple[str, float] | None = None,
        database_url: str = "",
    ) -> None:
        """`day_s`: seconds of ours in a simulated day. `away`: which city is gone for one, from when (s)."""
        self.cities: dict[str, City] = {}
        for one in platforms:
            gone = [f"down={away[1]:g}+{day_s:g}"] if away and away[0] == one.name else []
            self.cities[one.name] = City(one, directory, [*one.faults, *gone])
        entries = [
            city.entry(fast_profile(city.platform.profile, DAY_S / day_s, directory))
            for city in self.cities.values()
        ]
        settings: dict[str, dict[str, Any]] = {
            "reporting": {"platforms": entries, "poll_s": 0.2, "outbox_lease_s": 5, "grace_s": 1},
            "gateway": {"handshakes_per_identity_burst": 1_000, "handshakes_per_ip_burst": 5_000},
        }
        if database_url:
            settings["database"] = {"url": database_url}
        self.csms = CsmsServer(directory, settings)

    @property
    def operators(self) -> list[str]:
        return sorted({city.platform.operator for city in self.cities.values()})

    async def start(self) -> None:
        """Tables, cities, csms, then the operators with their tariffs."""
        self.csms.cli("migrate")
        for city in self.cities.values():
            await city.start()
        await self.csms.start()
        for number, operator in enumerate(self.operators, 1):
            name = f"Operator {number}"
            await self.csms.post("operators", {"code": operator, "name": name, "time_zone": "Asia/Shanghai"})
            await self.csms.post("tariffs", _tariff(operator, number))
            path = f"tariffs/TOU-{operator}/assignments?operator={operator}"
            await self.csms.post(path, {"valid_from": "2020-01-01T00:00:00+08:00"})

    def end(self) -> None:
        """Kill whatever still runs."""
        for city in self.cities.values():
            city.child.kill()
        self.csms.kill()


def fleet(csms: CsmsServer, operator: str, directory: Path, *more: str) -> Child:
    """The stations of one operator, to be spawned; they judge csms's history at their end."""
    program = [
        *(sys.executable, "-m", "simulators", "fleet", "--operator", operator, "--password", PASSWORD),
        *("--url", csms.gateway_url, "--api", csms.http_url, "--api-key", csms.admin_key),
        *("--prefix", f"F{operator[:3]}", "--journal", str(journal_of(operator, directory)), *more),
    ]
    return Child(f"fleet-{operator}", program, directory)


def journal_of(operator: str, directory: Path) -> Path:
    """Where the stations of an operator write what they said and heard."""
    return directory / f"fleet-{operator}.jsonl"


def _tariff(operator: str, number: int) -> dict[str, Any]:
    """A price for every half hour, so that few sessions have only one."""
    bands = [
        {
            "start": f"{minute // 60:02d}:{minute % 60:02d}",
            "period": PERIODS[n % len(PERIODS)],
            "elec_price": f"0.{3117 + 411 * (n * 7 % 13) + number}",
            "service_price": f"0.{8000 - 173 * (n % 5)}",
        }
        for n, minute in enumerate(range(0, 1_440, BAND_MINUTES))
    ]
    fee = {"per_minute": "0.5000", "free_minutes": 1, "cap": "50.0000"}
    since = {"valid_from": "2020-01-01T00:00:00+08:00", "bands": bands, "idle_fee": fee}
    return {"operator": operator, "code": f"TOU-{operator}", "name": "By the half hour", **since}
