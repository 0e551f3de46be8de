"""A city starts and stops simulated stations over HTTP: results and orders arrive under its names."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from simulators.city_seal import Secrets, read_json
from tests.campaign.conftest import Serve
from tests.campaign.kit import start, until
from tests.campaign.test_command import simulated
from tests.reporting.tcec.server.kit import CITY, OURS, SECRETS, City, listening
from tests.serverkit import CsmsServer

RESULT_WITHIN_S = 50
CONNECTOR = "{identity}0101"


class Ledger:
    """The city's side of our pushes: opens, keeps and accepts everything."""

    def __init__(self) -> None:
        self.secrets = Secrets()
        self.told: list[tuple[str, dict[str, Any], datetime]] = []

    def routes(self) -> list[Route]:
        """Every interface under one path."""
        return [Route("/evcs/v1/{name}", self.serve, methods=["POST"])]

    async def serve(self, request: Request) -> Response:
        """One push."""
        fields = await request.json()
        sent = (fields[name] for name in ("OperatorID", "Data", "TimeStamp", "Seq"))
        assert fields["Sig"] == self.secrets.sign(*sent)
        name, body = request.path_params["name"], read_json(self.secrets.decrypt(fields["Data"]))
        answer: dict[str, Any] = {"Status": 0, "SuccStat": 0, "ConfirmResult": 0, "FailReason": 0}
        if name == "query_token":
            answer |= {"OperatorID": OURS, "AccessToken": "t" * 32, "TokenAvailableTime": 7200}
        else:
            self.told.append((name, body, datetime.now(UTC)))
        return JSONResponse(self.secrets.sealed_answer(0, "", answer))

    async def heard(self, name: str, seq: str) -> dict[str, Any] | None:
        """What was told under this name of this charge."""
        found = (body for told, body, _ in self.told if told == name and body["StartChargeSeq"] == seq)
        return next(found, None)


def platform(url: str) -> dict[str, Any]:
    """A platform in both directions."""
    theirs = Secrets()
    return {
        "name": "city",
        "profile": "tcec102-2016",
        "url": url,
        "operator": OURS,
        "operator_secret": theirs.operator_secret,
        "data_secret": theirs.data_secret,
        "data_secret_iv": theirs.data_secret_iv,
        "sig_secret": theirs.sig_secret,
        "inbound": {
            "operator_id": CITY,
            "operator_secret": SECRETS.operator_secret,
            "data_secret": SECRETS.data_secret,
            "data_secret_iv": SECRETS.data_secret_iv,
            "sig_secret": SECRETS.sig_secret,
        },
    }


class LiveCity(City):
    """The same client by the real clock."""

    def sealed(self, payload: Any, **over: Any) -> dict[str, Any]:
        self.at = datetime.now(UTC)
        return super().sealed(payload, **over)


@asynccontextmanager
async def a_city(serve: Serve) -> AsyncIterator[tuple[CsmsServer, LiveCity, Ledger]]:
    """A server that reports to a city, and the city with a token."""
    ledger = Ledger()
    async with listening(ledger.routes()) as theirs:
        reporting = {"platforms": [platform(str(theirs.base_url).rstrip("/"))], "poll_s": 0.2}
        csms = serve({"reporting": reporting})
        await start(csms)
        async with httpx.AsyncClient(base_url=csms.http_url, timeout=10) as http:
            city = LiveCity(http)
            await city.log_in()
            yield csms, city, ledger
        assert await csms.stop() == 0


def seq_of(number: int) -> str:
    """A StartChargeSeq as the city makes them."""
    return f"{CITY}{datetime.now(UTC):%Y%m%d%H%M%S}{number:04d}"


@pytest.mark.parametrize("version", ["1.6", "2.0.1"])
async def test_a_city_starts_and_stops_a_charge(version: str, serve: Serve, tmp_path: Path) -> None:
    """From query_equip_auth to the order; every answer within a second, every result within its limit."""
    identity = f"CITY-{version}"
    connector = CONNECTOR.format(identity=identity)
    seq = seq_of(1)
    asked = {"StartChargeSeq": seq, "ConnectorID": connector}

    async with a_city(serve) as (csms, city, ledger), simulated(csms, identity, version, tmp_path):
        await until(partial(plugged_in, city, connector))
        begun_at = datetime.now(UTC)
        started = await city.told("query_start_charge", asked)
        answered_at = datetime.now(UTC)
        again = await city.told("query_start_charge", asked)
        result = await until(partial(ledger.heard, "notification_start_charge_result", seq))
        status = await until(partial(charging, city, seq))
        stopped = await city.told("query_stop_charge", asked)
        stop_result = await until(partial(ledger.heard, "notification_stop_charge_result", seq))
        order = await until(partial(ledger.heard, "notification_charge_order_info", seq))
        (session,) = (await csms.get("sessions", station=identity))["items"]

    assert started == asked | {"StartChargeSeqStat": 1, "SuccStat": 0, "FailReason": 0}
    assert again == started
    assert (answered_at - begun_at).total_seconds() < 2  # a machine busy with tests may be slow
    assert (result["StartChargeSeqStat"], result["ConnectorID"]) == (2, connector)
    assert all((at - begun_at).total_seconds() < RESULT_WITHIN_S for _, _, at in ledger.told)
    assert (status["StartChargeSeq"], status["ConnectorID"]) == (seq, connector)
    assert (stopped["StartChargeSeqStat"], stopped["SuccStat"]) == (3, 0)
    assert (stop_result["StartChargeSeqStat"], stop_result["SuccStat"]) == (4, 0)
    assert (order["StartChargeSeq"], order["ConnectorID"], order["StopReason"]) == (seq, connector, 1)
    assert int(order["TotalPower"] * 1000) == pytest.approx(session["energy_wh"], abs=5)
    assert session["state"] == "ended"


async def plugged_in(city: City, connector: str) -> bool:
    """Whether query_equip_auth says that a charge could begin."""
    told = await city.told("query_equip_auth", {"EquipAuthSeq": seq_of(9), "ConnectorID": connector})
    return told["SuccStat"] == 0


async def charging(city: City, seq: str) -> dict[str, Any] | None:
    """The charge's status, once it says that energy flows."""
    told = await city.told("query_equip_charge_status", {"StartChargeSeq": seq})
    return told if told["StartChargeSeqStat"] == 2 else None
