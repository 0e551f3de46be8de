"""A real `csms serve` as a child process on free ports, for tests and benchmarks.

Knows the command line, config.yaml and the HTTP API, and nothing from inside
the csms package. Does not know which stations speak to it.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import Any

import httpx
import yaml

CSMS = [sys.executable, "-m", "csms"]
START_WITHIN_S = 30.0
STOP_WITHIN_S = 30.0
POLL_S = 0.02


class ServerTrouble(Exception):
    """The server under test did not do what was asked."""


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def clean_environment() -> dict[str, str]:
    """This process's environment without settings of some other server."""
    return {name: value for name, value in os.environ.items() if not name.startswith("CSMS_")}


async def polls(within_s: float) -> AsyncIterator[float]:
    """Turns of a wait, a little apart, until the time is up; each gives the seconds that are left."""
    until = time.monotonic() + within_s
    while (left := until - time.monotonic()) > 0:
        yield left
        await asyncio.sleep(POLL_S)


class Child:
    """One child process with its output in a file: started, stopped, killed, always reaped."""

    def __init__(
        self, name: str, command: list[str], directory: Path, env: dict[str, str] | None = None
    ) -> None:
        self.name = name
        self.log_file = directory / f"{name}.log"
        self._command = command
        self._directory = directory
        self._env = clean_environment() | (env or {})
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The process id; raises ServerTrouble when it does not run."""
        if self._process is None:
            raise ServerTrouble(f"{self.name} is not running")
        return self._process.pid

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def spawn(self, core: int | None = None) -> None:
        """Start the process, on one processor core if asked. Its output is appended to `log_file`."""
        with self.log_file.open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                cwd=self._directory,
                env=self._env,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
            )
        if core is not None:
            os.sched_setaffinity(self._process.pid, {core})

    def kill(self) -> None:
        """SIGKILL: the process gets no chance to say or save anything. Returns when it is gone."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    async def stop(self, within_s: float = STOP_WITHIN_S) -> int:
        """SIGTERM and wait. Returns the exit code; after `within_s` it is killed and ServerTrouble raised."""
        if self._process is None:
            raise ServerTrouble(f"{self.name} is not running")
        process = self._process
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        async for _ in polls(within_s):
            if process.poll() is not None:
                self._process = None
                return process.returncode
        self.kill()
        raise ServerTrouble(f"{self.name} did not stop within {within_s} s of SIGTERM\n{self.log_tail()}")

    async def listening(self, port: int, within_s: float = START_WITHIN_S) -> None:
        """Return once something accepts connections on `port`; ServerTrouble with the log if not."""
        async for _ in polls(within_s):
            self.check_alive()
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return
        raise ServerTrouble(f"{self.name} does not listen on {port}\n{self.log_tail()}")

    def check_alive(self) -> None:
        """Raises ServerTrouble with the end of the log when the process has ended by itself."""
        if not self.is_running:
            raise ServerTrouble(f"{self.name} ended by itself\n{self.log_tail()}")

    def log_tail(self, characters: int = 6_000) -> str:
        """The end of what the process has printed."""
        text = self.log_file.read_text(errors="replace") if self.log_file.exists() else ""
        return text[-characters:]


class CsmsServer:
    """`csms serve` with its own directory, configuration and SQLite file.

    The ports stay the same over `restart`, so that stations find it again.
    `settings` is laid over the defaults below, section by section.
    """

    def __init__(
        self, directory: Path, settings: dict[str, dict[str, Any]] | None = None, admin_key: str = ""
    ) -> None:
        self.directory = directory
        self.gateway_port, self.http_port = free_port(), free_port()
        self.config_file = directory / "config.yaml"
        self.config_file.write_text(yaml.safe_dump(self._configuration(settings or {})))
        self.child = Child("csms", [*CSMS, "serve", "--config", str(self.config_file)], directory)
        self._admin_key = admin_key

    @property
    def gateway_url(self) -> str:
        """Where stations connect; the identity is the next path segment."""
        return f"ws://127.0.0.1:{self.gateway_port}/ocpp"

    @property
    def http_url(self) -> str:
        return f"http://127.0.0.1:{self.http_port}"

    @property
    def database_file(self) -> Path:
        return self.directory / "csms.db"

    @property
    def pid(self) -> int:
        return self.child.pid

    @property
    def admin_key(self) -> str:
        """An API key of the administrator's role, made by the command line on first use."""
        if not self._admin_key:
            self._admin_key = self.cli("api-key", "create", "--role", "admin").splitlines()[-1].strip()
        return self._admin_key

    def cli(self, *arguments: str) -> str:
        """Run `csms ARGUMENTS` on this configuration. Returns its output; ServerTrouble if it fails."""
        done = subprocess.run(
            [*CSMS, *arguments],
            cwd=self.directory,
            env=clean_environment(),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        if done.returncode:
            raise ServerTrouble(
                f"csms {' '.join(arguments)}: exit {done.returncode}\n{done.stdout}{done.stderr}"
            )
        return done.stdout

    async def start(self, within_s: float = START_WITHIN_S, core: int | None = None) -> None:
        """Start and wait until /readyz says so. ServerTrouble with the end of the log if it does not."""
        self.child.spawn(core)
        try:
            await self._ready(within_s)
        except BaseException:
            self.kill()
            raise

    async def stop(self, within_s: float = STOP_WITHIN_S) -> int:
        """SIGTERM, wait, return the exit code."""
        return await self.child.stop(within_s)

    def kill(self) -> None:
        """SIGKILL (kill -9). The directory stays, so that `start` goes on from what was durable."""
        self.child.kill()

    async def restart(self, within_s: float = START_WITHIN_S) -> None:
        """Stop in order if it runs, then start again on the same ports and the same database."""
        if self.child.is_running:
            await self.stop()
        await self.start(within_s)

    async def get(self, path: str, **query: Any) -> Any:
        """GET /api/v1/`path` as administrator. Returns the JSON; raises httpx.HTTPStatusError."""
        return await self._request("GET", path, params={k: v for k, v in query.items() if v is not None})

    async def post(self, path: str, body: dict[str, Any], **headers: str) -> Any:
        """POST /api/v1/`path` as administrator. Returns the JSON; raises httpx.HTTPStatusError."""
        return await self._request("POST", path, json=body, headers=headers)

    async def add_site(self, site: str = "S01", operator: str = "123456789") -> None:
        """An operator in Beijing and one site of it. May be repeated."""
        await self.post("operators", {"code": operator, "name": "Operator", "time_zone": "Asia/Shanghai"})
        where = {"latitude": 39.9, "longitude": 116.4}
        await self.post("sites", {"code": site, "operator": operator, "name": f"Site {site}", **where})

    async def add_station(self, identity: str, password: str, site: str = "S01", **more: Any) -> None:
        """Register a charging station of security profile 1 at a site that exists. May be repeated."""
        await self.post("charging-stations", _station(identity, password, site) | more)

    async def add_stations(self, identities: Iterable[str], password: str, site: str = "S01") -> None:
        """Register many charging stations with one password over one connection."""
        async with self._client() as client:
            for identity in identities:
                _checked(await client.post("charging-stations", json=_station(identity, password, site)))

    async def add_token(self, token: str, **more: Any) -> None:
        """Register an id token that may charge. May be repeated."""
        await self.post("id-tokens", _token(token) | more)

    async def add_tokens(self, tokens: Iterable[str]) -> None:
        """Register many id tokens over one connection."""
        async with self._client() as client:
            for token in tokens:
                _checked(await client.post("id-tokens", json=_token(token)))

    async def _request(self, method: str, path: str, **options: Any) -> Any:
        async with self._client() as client:
            return _checked(await client.request(method, path, **options)).json()

    def _client(self) -> httpx.AsyncClient:
        headers = {"Authorization": f"Bearer {self.admin_key}"}
        return httpx.AsyncClient(base_url=f"{self.http_url}/api/v1/", headers=headers, timeout=30)

    async def _ready(self, within_s: float) -> None:
        async with httpx.AsyncClient(timeout=5) as client:
            async for _ in polls(within_s):
                self.child.check_alive()
                # Not listening yet is no news: the next turn asks again until the time is up.
                with contextlib.suppress(httpx.TransportError):
                    if (await client.get(f"{self.http_url}/readyz")).status_code == httpx.codes.OK:
                        return
        raise ServerTrouble(f"csms was not ready within {within_s} s\n{self.child.log_tail()}")

    def _configuration(self, over: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
        base: dict[str, dict[str, Any]] = {
            "database": {"url": f"sqlite:///{self.database_file}"},
            "gateway": {"host": "127.0.0.1", "port": self.gateway_port},
            "http": {"host": "127.0.0.1", "port": self.http_port},
        }
        return {section: {**base.get(section, {}), **over.get(section, {})} for section in {*base, *over}}


def _station(identity: str, password: str, site: str) -> dict[str, Any]:
    return {"identity": identity, "site": site, "password": password, "security_profile": 1}


def _token(token: str) -> dict[str, Any]:
    return {"token": token, "type": "ISO14443", "status": "accepted"}


def _checked(answer: httpx.Response) -> httpx.Response:
    if answer.is_error:
        what = f"{answer.request.method} {answer.url.path}: {answer.status_code} {answer.text}"
        raise httpx.HTTPStatusError(what, request=answer.request, response=answer)
    return answer
