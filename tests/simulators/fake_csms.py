"""A central system in forty lines of rules, for the fleet's own tests: it stores what it is told, once.

It can be told to forget or to double one session: the verdict has to notice.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from tests.simulators.talk import until

Row = dict[str, Any]


class FakeCsms:
    """Stations talk to `url`, programs to `api`. `tamper` changes the history before it is read."""

    def __init__(self, tamper: Callable[[list[Row]], list[Row]] = lambda rows: rows) -> None:
        self.tamper = tamper
        self.sessions: dict[tuple[str, str], Row] = {}
        self.started: dict[str, int] = {}
        self.readings: dict[str, set[str]] = {}
        self.sites: dict[str, str] = {}
        self.frames: list[tuple[str, str]] = []
        self.handshakes: list[tuple[str, str | None]] = []
        self.sockets: dict[str, ServerConnection] = {}
        self.url = self.api = ""

    async def __aenter__(self) -> FakeCsms:
        protocols: Any = ["ocpp2.1", "ocpp2.0.1", "ocpp1.6"]
        self._server: Server = await serve(
            self._talk, "127.0.0.1", 0, subprotocols=protocols, select_subprotocol=_offered
        )
        self.url = f"ws://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/ocpp"
        routes = [
            Route("/api/v1/sessions", self._sessions),
            Route("/api/v1/sessions/{id}/readings", self._readings),
            Route("/api/v1/{resource}", self._put, methods=["POST"]),
        ]
        config = uvicorn.Config(
            Starlette(routes=routes), port=0, log_level="error", lifespan="off", ws="none"
        )
        self._http = uvicorn.Server(config)
        self._serving = asyncio.create_task(self._http.serve())
        await until(lambda: self._http.started)
        self.api = f"http://127.0.0.1:{self._http.servers[0].sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *error: object) -> None:
        self._server.close()
        await self._server.wait_closed()
        self._http.should_exit = True
        await self._serving

    async def _talk(self, socket: ServerConnection) -> None:
        assert socket.request is not None
        identity = unquote(socket.request.path.rsplit("/", 1)[1])
        self.handshakes.append((identity, socket.request.headers.get("Authorization")))
        self.sockets[identity] = socket
        try:
            async for text in socket:
                self.frames.append((identity, str(text)))
                frame = json.loads(text)
                if frame[0] == 2:
                    answer = self.answer(identity, frame[2], frame[3] or {})
                    await socket.send(json.dumps([3, frame[1], answer]))
        except ConnectionClosed:
            return

    def answer(self, identity: str, action: str, payload: Row) -> Row:
        """Store a message and answer it; a repeat changes nothing and gets the same answer."""
        match action:
            case "BootNotification":
                return {"status": "Accepted", "currentTime": "2026-01-01T00:00:00.000Z", "interval": 300}
            case "Heartbeat":
                return {"currentTime": "2026-01-01T00:00:00.000Z"}
            case "Authorize":
                return {"idTagInfo": {"status": "Accepted"}, "idTokenInfo": {"status": "Accepted"}}
            case "StartTransaction":
                return self._start_16(identity, payload)
            case "MeterValues" if "transactionId" in payload:
                self._keep(self.sessions[identity, str(payload["transactionId"])], payload["meterValue"])
            case "StopTransaction":
                row = self.sessions[identity, str(payload["transactionId"])]
                self._keep(row, payload.get("transactionData", []))
                self._end(row, payload["timestamp"], payload["meterStop"])
            case "TransactionEvent":
                self._event(identity, payload)
        return {}

    def _start_16(self, identity: str, payload: Row) -> Row:
        key = json.dumps([identity, payload])
        number = self.started.setdefault(key, len(self.started) + 1)
        self._open(identity, str(number), payload["timestamp"], payload["idTag"], payload["connectorId"])
        self.sessions[identity, str(number)]["meter_start_wh"] = payload["meterStart"]
        return {"transactionId": number, "idTagInfo": {"status": "Accepted"}}

    def _event(self, identity: str, payload: Row) -> None:
        transaction = payload["transactionInfo"]["transactionId"]
        if payload["eventType"] == "Started":
            token, evse = payload["idToken"]["idToken"], payload["evse"]["id"]
            self._open(identity, transaction, payload["timestamp"], token, evse)
        row = self.sessions[identity, transaction]
        self._keep(row, payload.get("meterValue", []))
        if payload["eventType"] == "Started":
            row["meter_start_wh"] = _register(payload)
        if payload["eventType"] == "Ended":
            self._end(row, payload["timestamp"], _register(payload))

    def _open(self, identity: str, transaction: str, at: str, token: str, evse: int) -> None:
        row = {
            "session_id": f"{identity}/{transaction}".replace("/", "_"),
            "site": self.sites[identity],
            "charging_station": identity,
            "transaction_id": transaction,
            "id_token": token,
            "evse": evse,
            "state": "active",
            "started_at": at,
            "ended_at": None,
            "meter_start_wh": None,
            "meter_stop_wh": None,
            "energy_wh": None,
        }
        self.sessions.setdefault((identity, transaction), row)

    def _end(self, row: Row, at: str, meter_stop_wh: int) -> None:
        row.update(
            state="ended",
            ended_at=at,
            meter_stop_wh=meter_stop_wh,
            energy_wh=meter_stop_wh - row["meter_start_wh"],
        )

    def _keep(self, row: Row, meter_values: list[Row]) -> None:
        kept = self.readings.setdefault(row["session_id"], set())
        for one in meter_values:
            for value in one["sampledValue"]:
                key = [one["timestamp"], value["measurand"], value.get("phase"), value.get("context")]
                kept.add(json.dumps(key))

    async def _put(self, request: Request) -> JSONResponse:
        row = await request.json()
        if request.path_params["resource"] == "charging-stations":
            self.sites[row["identity"]] = row["site"]
        return JSONResponse(row, status_code=201)

    async def _sessions(self, request: Request) -> JSONResponse:
        rows = self.tamper([dict(row) for row in self.sessions.values()])
        rows = [row for row in rows if row["site"] == request.query_params["site"]]
        return JSONResponse(_page(rows, request))

    async def _readings(self, request: Request) -> JSONResponse:
        readings = sorted(self.readings[request.path_params["id"]])
        return JSONResponse(_page([{"reading": one} for one in readings], request))


def _page(rows: list[Row], request: Request) -> Row:
    start, limit = int(request.query_params.get("after", 0)), 7
    following = start + limit
    return {"items": rows[start:following], "next": str(following) if following < len(rows) else None}


def _offered(connection: ServerConnection, offered: Any) -> Any:
    return offered[0] if offered else None


def _register(payload: Row) -> int:
    for value in payload["meterValue"][-1]["sampledValue"]:
        if value["measurand"] == "Energy.Active.Import.Register":
            unit = value.get("unitOfMeasure", {}).get("unit", "Wh")
            return round(value["value"] * (1000 if unit == "kWh" else 1))
    raise AssertionError("a begin or an end without its register")
