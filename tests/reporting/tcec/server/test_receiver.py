"""The order of checks over real HTTP: every Ret, both HTTP refusals, replay on two nodes, and the window."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from csms.errors import StoreUnavailable
from csms.reporting.tcec.envelope import Keys
from csms.reporting.tcec.server import door, refusals
from csms.reporting.tcec.server.inbound import Inbound
from csms.reporting.tcec.server.rate import Rate
from csms.reporting.tcec.server.receiver import Receiver
from csms.store.database import Database
from csms.store.platform_envelopes import EnvelopeStore
from simulators.city_seal import Secrets
from tests.reporting.tcec.server.kit import CITY, NOW, City, inbound_of, listening

VECTORS = json.loads((Path(__file__).parents[3] / "vectors/city-platform-vectors.json").read_text())
PATH = "/evcs/v1/query_station_status"


async def echo(platform: Inbound, kind: str, payload: Mapping[str, Any]) -> str:
    """Says what it was asked; does what the payload wants."""
    match payload.get("do"):
        case "refuse":
            raise refusals.bad_business("StationIDs: more than 50")
        case "outage":
            raise StoreUnavailable("gone")
        case "fail":
            raise ZeroDivisionError("a secret of the inside")
    return json.dumps({"kind": kind, "payload": payload})


@asynccontextmanager
async def a_city(
    database: Database, inbound: Inbound | None = None, nodes: int = 1
) -> AsyncIterator[tuple[City, list[Receiver]]]:
    """A city with a token that asks (the last of) some nodes of one database."""
    platform = inbound or inbound_of()
    receivers = [Receiver(EnvelopeStore(database), echo, lambda: NOW, lambda: 0.0) for _ in range(nodes)]
    async with listening(door.routes([platform], receivers[-1])) as http:
        yield City(http, token=platform.mint.make(NOW)), receivers


async def test_an_answer_is_sealed_under_the_keys_of_this_direction(database: Database) -> None:
    """Ret 0, an empty Msg, the answer in Data; the query is counted."""
    async with a_city(database) as (city, (receiver,)):
        answered = await city.ask("query_station_status", {"StationIDs": ["站"]})

    assert (answered.status, answered.ret, answered.msg) == (200, 0, "")
    assert answered.body == {"kind": "station-status", "payload": {"StationIDs": ["站"]}}
    assert receiver.queries == {("city", "station-status", "0"): 1}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"hello",
        b"[]",
        b'{"OperatorID":"987654321"}',
        b'{"OperatorID":"987654321","Data":"a","TimeStamp":"20260105180000","Seq":"1","Sig":"s"}',
        b'{"OperatorID":"98765432","Data":"a","TimeStamp":"20260105180000","Seq":"0001","Sig":"s"}',
        b'{"OperatorID":"987654321","Data":"a","TimeStamp":"2026","Seq":"0001","Sig":"s"}',
        b'{"Seq":"0001","Seq":"0002","OperatorID":"987654321","Data":"","TimeStamp":"20260105180000"}',
        b"\xff" * 100,
    ],
)
async def test_what_is_no_envelope(inline_database: Database, body: bytes) -> None:
    """HTTP 400, empty: there is nobody to sign for."""
    async with a_city(inline_database) as (city, (receiver,)):
        answered = await city.post(PATH, body)

    assert (answered.status, answered.ret) == (400, None)
    assert receiver.queries == {("", "", "400"): 1}


async def test_a_stranger(inline_database: Database) -> None:
    """HTTP 401, empty, however well it signs."""
    async with a_city(inline_database) as (city, (receiver,)):
        answered = await replace(city, operator_id="111111111").ask("query_station_status", {})

    assert (answered.status, answered.ret) == (401, None)
    assert receiver.queries == {("", "", "401"): 1}


@pytest.mark.parametrize(
    ("over", "token", "ret", "said"),
    [
        ({"Sig": "0" * 32}, None, 4001, "Sig does not belong"),
        ({"Sig": "é"}, "none", 4001, "Sig does not belong"),  # the signature comes before the token
        ({}, "none", 4002, "call query_token"),
        ({"TimeStamp": "20250105180000"}, "none", 4002, "call query_token"),  # the token before the window
        ({"TimeStamp": "20260105174959"}, None, 4003, "TimeStamp is -601 s from our clock; 600 s"),
        ({"TimeStamp": "20260105181001"}, None, 4003, "TimeStamp is +601 s from our clock; 600 s"),
        ({"TimeStamp": "20261399180000"}, None, 4003, "TimeStamp is no date and time"),
        ({"Data": "AAAA"}, None, 4003, "Data cannot be decrypted"),
        ({"Data": "not base64"}, None, 4003, "Data cannot be decrypted"),
        ({"text": "[1]"}, None, 4003, "Data holds no JSON object"),
        ({"text": '{"a":1,"a":2}'}, None, 4003, "Data holds no JSON object"),
        ({"text": '{"do":"refuse"}'}, None, 4004, "StationIDs: more than 50"),
        ({"text": '{"do":"fail"}'}, None, 500, "the system failed over this request"),
        ({"text": '{"do":"outage"}'}, None, -1, "the system is busy"),
        ({"TimeStamp": "20260105175000"}, None, 0, ""),
        ({"TimeStamp": "20260105181000"}, None, 0, ""),
    ],
)
async def test_every_ret(
    inline_database: Database, over: dict[str, Any], token: str | None, ret: int, said: str
) -> None:
    """HTTP 200 with a signed Ret, and a Msg that says what is wrong and nothing of the inside."""
    async with a_city(inline_database) as (city, (receiver,)):
        answered = await city.post(PATH, city.sealed({}, **dict(over)), token)

    assert (answered.status, answered.ret) == (200, ret)
    assert said in answered.msg
    assert "secret" not in answered.msg.lower().replace("datasecret", "")
    assert (answered.body is None) == (ret != 0)
    assert receiver.queries == {("city", "station-status", str(ret)): 1}


async def test_an_envelope_is_taken_once_by_all_nodes(database: Database) -> None:
    """The same bytes again, here or at another node, are refused; another Seq is another request."""
    async with a_city(database, nodes=2) as (city, (first, _)):
        envelope = city.sealed({"n": 1})
        kinds = {CITY: (inbound_of(), "station-status")}
        earlier = await first.receive(kinds, json.dumps(envelope).encode(), f"Bearer {city.token}")
        again = await city.post(PATH, envelope)
        other = await city.ask("query_station_status", {"n": 1})

    assert json.loads(earlier.body)["Ret"] == 0
    assert (again.ret, again.msg) == (4003, "this very request came before; use another Seq")
    assert other.ret == 0


async def test_a_token_ends(inline_database: Database) -> None:
    """After its seconds, and one of another platform never was one."""
    platform = inbound_of()
    async with a_city(inline_database, platform) as (city, _):
        city.token = platform.mint.make(NOW - timedelta(seconds=7200))
        old = await city.ask("query_station_status", {})
        city.token = platform.mint.make(NOW - timedelta(seconds=7199))
        young = await city.ask("query_station_status", {})

    assert (old.ret, young.ret) == (4002, 0)


async def test_more_than_it_may_ask(inline_database: Database) -> None:
    """Busy, told under signature; strangers' envelopes do not count against the platform."""
    platform = replace(inbound_of(), rate=Rate(20, 2))
    async with a_city(inline_database, platform) as (city, _):
        for _ in range(3):
            await city.ask("query_station_status", {}, Sig="0" * 32)
        rets = [(await city.ask("query_station_status", {"n": n})).ret for n in range(3)]

    assert rets == [0, 0, -1]


async def test_nothing_secret_is_logged(inline_database: Database) -> None:
    """Neither keys, tokens, payloads nor ciphertexts, whatever happens."""
    with capture_logs() as logs:
        async with a_city(inline_database) as (city, _):
            for over in ({}, {"Sig": "0" * 32}, {"text": '{"do":"fail"}'}, {"Data": "AAAA"}):
                await city.ask("query_station_status", {"Phone": "13800000000"}, **dict(over))

    told = repr([{k: v for k, v in line.items() if k != "exc_info"} for line in logs])
    assert [line["event"] for line in logs] == [
        "city_query_answered", "city_query_refused", "city_query_failed", "city_query_refused",
    ]  # fmt: skip
    for secret in (city.secrets.sig_secret, city.secrets.data_secret, city.token, "13800000000", "AAAA"):
        assert secret not in told


@pytest.mark.parametrize(
    "vector",
    [one for one in VECTORS["published"] if one["id"].startswith("csdn")],
    ids=lambda vector: vector["id"],
)
async def test_a_published_request(inline_database: Database, vector: dict[str, Any]) -> None:
    """The bytes of a published example are taken, at their own time, under their own keys."""
    example = Secrets()
    keys = Keys(example.data_secret, example.data_secret_iv, example.sig_secret)
    platform = replace(inbound_of(), city_id=vector["OperatorID"], keys=keys, window=timedelta(days=9_999))
    names = ("OperatorID", "Data", "TimeStamp", "Seq", "Sig")
    async with a_city(inline_database, platform) as (city, _):
        city.secrets = example
        answered = await city.post(PATH, {name: vector[name] for name in names})

    assert answered.body == {"kind": "station-status", "payload": json.loads(vector["plaintext"])}


async def test_strangers_do_not_fill_the_log(inline_database: Database) -> None:
    """All are counted; some are told."""
    with capture_logs() as logs:
        async with a_city(inline_database) as (city, (receiver,)):
            for _ in range(50):
                await city.post(PATH, b"hello")

    assert receiver.queries == {("", "", "400"): 50}
    assert len(logs) == 10
