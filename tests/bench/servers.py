"""The servers that are measured: ours, its peers, and the floor. Knows how to start and check each.

Every start is a fresh process on a free port, ours on a fresh copy of one
prepared database. Does not know how the load is made.
"""

from __future__ import annotations

import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from tests.bench import frames
from tests.bench.load import ECHO
from tests.clients.node import node_environment
from tests.serverkit import Child, CsmsServer, free_port

PEERS = Path(__file__).parent / "peers"
REPOSITORY = Path(__file__).parents[2]
PASSWORD = "bench-0123456789"
SITE = "BENCH"

# What one address and one identity may do is limited for real stations; a load that stands for a city
# comes from one address, as fast as it can. Everything else is as delivered, and a city platform is owed
# every session.
SETTINGS: dict[str, dict[str, Any]] = {
    "gateway": {
        "handshakes_per_ip_per_s": 100_000,
        "handshakes_per_ip_burst": 100_000,
        "handshakes_per_identity_s": 0.001,
        "handshakes_per_identity_burst": 1_000,
        "messages_per_s": 100_000,
        "messages_burst": 100_000,
    },
    "reporting": {
        "platforms": [
            {
                "name": "bench",
                "profile": "beijing",
                "url": "http://127.0.0.1:9/evcs",
                "operator": "123456789",
                "operator_secret": "0123456789abcdef",
                "data_secret": "0123456789abcdef",
                "data_secret_iv": "0123456789abcdef",
                "sig_secret": "0123456789abcdef",
                # Records are written for it; what sending costs is not a cost of messages.
                "paused": True,
            }
        ]
    },
}


class WrongWork(Exception):
    """The server was fast at something else than asked."""


@dataclass(frozen=True, slots=True)
class Running:
    """A started server: where stations connect and which process pays."""

    port: int
    path: str
    pid: int


class Server(Protocol):
    """One server under measurement. `prepare` once, then `start` and `stop` in each round."""

    name: str
    title: str
    versions: tuple[str, ...]

    async def prepare(self, directory: Path, identities: list[str]) -> None:
        """Do what is needed once. Raises NodeMissing where this peer cannot run."""

    async def start(self, directory: Path, core: int | None) -> Running:
        """Start a fresh process in an empty directory, on one core if asked."""

    async def stop(self) -> None:
        """End it, after a look at whether it did the work."""


class Peer:
    """A server that is one command with the port at its end."""

    def __init__(
        self, name: str, title: str, command: list[str], versions: tuple[str, ...], *, node: bool = False
    ) -> None:
        self.name, self.title, self.versions = name, title, versions
        self._command, self._is_node = command, node
        self._environment: dict[str, str] = {}
        self._child: Child | None = None

    async def prepare(self, directory: Path, identities: list[str]) -> None:
        self._environment = node_environment() if self._is_node else {"PYTHONPATH": str(REPOSITORY)}

    async def start(self, directory: Path, core: int | None) -> Running:
        port = free_port()
        self._child = Child(self.name, [*self._command, str(port)], directory, self._environment)
        self._child.spawn(core)
        await self._child.listening(port)
        return Running(port, "/ocpp", self._child.pid)

    async def stop(self) -> None:
        if self._child is not None:
            self._child.kill()


class Ours:
    """`csms serve` on SQLite (WAL, fsync before every answer), stations registered and authenticated."""

    name, title = "csms", "csms: durable, all features"
    versions: tuple[str, ...] = ("1.6", "2.0.1")

    def __init__(self) -> None:
        self._prepared: CsmsServer | None = None
        self._server: CsmsServer | None = None

    async def prepare(self, directory: Path, identities: list[str]) -> None:
        """Register all stations and their tokens over the API, and keep the database for the rounds."""
        server = CsmsServer(directory, SETTINGS)
        await server.start()
        try:
            await server.add_site(SITE)
            await server.add_stations(identities, PASSWORD, SITE)
            await server.add_tokens(identities)
        finally:
            await server.stop()
        self._prepared = server

    async def start(self, directory: Path, core: int | None) -> Running:
        assert self._prepared is not None, "prepare comes first"
        self._server = CsmsServer(directory, SETTINGS, admin_key=self._prepared.admin_key)
        for file in self._prepared.directory.glob("csms.db*"):
            shutil.copy(file, directory)
        await self._server.start(core=core)
        return Running(self._server.gateway_port, "/ocpp", self._server.pid)

    async def stop(self) -> None:
        """Raises WrongWork when the sessions it tells of are not those that the load had."""
        if self._server is None:
            return
        try:
            await self._check(self._server)
        finally:
            await self._server.stop()

    async def _check(self, server: CsmsServer) -> None:
        # The newest ones: a station's first life may have started in its middle.
        found = (await server.get("sessions", state="ended", limit=5))["items"]
        energies = [session["energy_wh"] for session in found]
        if not energies or any(energy != frames.LIFE_WH for energy in energies):
            raise WrongWork(f"sessions of {frames.LIFE_WH} Wh were told, {energies} are stored")


def all_servers() -> list[Server]:
    """Every server, in the order of the table."""
    python = [sys.executable, "-m"]
    both = ("1.6", "2.0.1")
    rpc = ["node", str(PEERS / "ocpp_rpc_server.js")]
    return [
        Peer("floor", "TCP echo floor", [*python, "tests.bench.peers.echo_floor"], (ECHO,)),
        Ours(),
        Peer("ocpp-rpc", "ocpp-rpc (Node): strict, no database", rpc, both, node=True),
        Peer("plain", "ocpp + websockets: no database", [*python, "tests.bench.peers.plain_ocpp"], both),
    ]
