"""A city that asks over real HTTP. Seals by the simulated city's own reading of the standard."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import httpx
import uvicorn
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.routing import BaseRoute

from csms.config import InboundSettings, PlatformSettings
from csms.reporting.tcec.profile import Profile, load_profile
from csms.reporting.tcec.server.inbound import Inbound
from simulators.city_seal import Secrets, read_json

NOW = datetime(2026, 1, 5, 10, 0, tzinfo=UTC)
OURS, CITY = "123456789", "987654321"
SECRETS = Secrets("operator-secret-", "data-secret-here", "initial-vector--", "sig-secret")


def settings_of(profile: str = "tcec102-2016", **inbound: Any) -> PlatformSettings:
    """A platform that may ask us."""
    other = SecretStr("0123456789abcdef")
    given: dict[str, Any] = {
        "operator_id": CITY,
        "operator_secret": SecretStr(SECRETS.operator_secret),
        "data_secret": SecretStr(SECRETS.data_secret),
        "data_secret_iv": SecretStr(SECRETS.data_secret_iv),
        "sig_secret": SecretStr(SECRETS.sig_secret),
    }
    return PlatformSettings(
        name="city",
        profile=profile,
        url="http://127.0.0.1:9",
        operator=OURS,
        operator_secret=other,
        data_secret=other,
        data_secret_iv=other,
        sig_secret=other,
        inbound=InboundSettings(**(given | inbound)),
    )


def inbound_of(profile: Profile | None = None, **inbound: Any) -> Inbound:
    """The same as the server knows it."""
    made = Inbound.of(settings_of(**inbound), profile or load_profile("tcec102-2016"))
    assert made is not None
    return made


@dataclass(frozen=True)
class Answered:
    """What came back. `body` is the opened Data; the signature was right."""

    status: int
    ret: int | None = None
    msg: str = ""
    body: dict[str, Any] | None = None


@dataclass
class City:
    """The platform's own client. `at` is its clock; every request has a Seq of its own."""

    http: httpx.AsyncClient
    base: str = "/evcs/v1"
    secrets: Secrets = SECRETS
    operator_id: str = CITY
    at: datetime = NOW
    token: str = ""
    _seq: Iterable[int] = field(default_factory=lambda: count(1))

    def sealed(self, payload: Any, **over: Any) -> dict[str, Any]:
        """The five fields; `over` replaces some after they were signed, `text` is sealed as it is."""
        text = over.pop("text", None) or json.dumps(payload, ensure_ascii=False)
        stamp = (self.at + timedelta(hours=8)).strftime("%Y%m%d%H%M%S")
        fields = {
            "OperatorID": self.operator_id,
            "Data": self.secrets.encrypt(text),
            "TimeStamp": stamp,
            "Seq": f"{next(iter(self._seq)) % 10_000:04d}",
        } | over
        if "Sig" not in over:
            parts = (fields[name] for name in ("OperatorID", "Data", "TimeStamp", "Seq"))
            fields["Sig"] = self.secrets.sign(*parts)
        return fields

    async def post(self, path: str, content: bytes | dict[str, Any], token: str | None = None) -> Answered:
        """Send a body as it is; an answer with a wrong signature fails the test."""
        bearer = self.token if token is None else token
        headers = {"Content-Type": "application/json;charset=utf-8"}
        if bearer:
            headers["Authorization"] = f"Bearer {bearer}"
        raw = json.dumps(content).encode() if isinstance(content, dict) else content
        answer = await self.http.post(path, content=raw, headers=headers)
        if not answer.content:
            return Answered(answer.status_code)
        fields = read_json(answer.content)
        assert set(fields) == {"Ret", "Msg", "Data", "Sig"}
        assert fields["Sig"] == self.secrets.sign(str(fields["Ret"]), fields["Msg"], fields["Data"])
        body = read_json(self.secrets.decrypt(fields["Data"])) if fields["Data"] else None
        return Answered(answer.status_code, fields["Ret"], fields["Msg"], body)

    async def ask(self, name: str, payload: Any, **over: Any) -> Answered:
        """One query by its interface's name."""
        return await self.post(f"{self.base}/{name}", self.sealed(payload, **over))

    async def log_in(self, path: str = "query_token") -> dict[str, Any]:
        """Get a token and use it from here on; the answer's body."""
        credentials = {"OperatorID": self.operator_id, "OperatorSecret": self.secrets.operator_secret}
        answered = await self.ask(path, credentials)
        assert answered.body is not None, answered
        self.token = answered.body["AccessToken"]
        return answered.body

    async def told(self, name: str, payload: Any) -> dict[str, Any]:
        """The body of an answer that must be Ret 0."""
        answered = await self.ask(name, payload)
        assert answered.ret == 0, answered
        assert answered.body is not None
        return answered.body


@asynccontextmanager
async def listening(routes: Iterable[BaseRoute]) -> AsyncIterator[httpx.AsyncClient]:
    """A real HTTP server with these routes on a port of its own, and a client of it."""
    config = uvicorn.Config(Starlette(routes=list(routes)), port=0, log_config=None, access_log=False)
    server = uvicorn.Server(config)
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
    task = asyncio.create_task(server.serve())
    try:
        while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0.005)
        port = server.servers[0].sockets[0].getsockname()[1]
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=10) as http:
            yield http
    finally:
        server.should_exit = True
        await task
