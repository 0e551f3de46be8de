"""The simulated city on its own: what it accepts, what it keeps, how it misbehaves."""

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from simulators.city import CityPlatform
from simulators.city_faults import EVERY, BadFault, Faults
from simulators.city_http import HttpRequest
from simulators.city_seal import Secrets

OPERATOR = "123456789"
SECRETS = Secrets("operator-secret", "data-secret-0001", "data-iv-00000001", "sig-secret")
VECTORS = json.loads((Path(__file__).parents[1] / "vectors/city-platform-vectors.json").read_text())
SEQ = OPERATOR + "0" * 17 + "1"
ORDER = {
    "StartChargeSeq": SEQ,
    "ConnectorID": "CS-00010101",
    "StartTime": "2026-01-01 08:00:00",
    "EndTime": "2026-01-01 09:00:00",
    "TotalPower": 12.35,
    "TotalElecMoney": 10.0,
    "TotalSeviceMoney": 2.0,
    "TotalMoney": 12.0,
    "StopReason": 0,
}
HOUR = {
    "StationID": "S01",
    "StartTime": "2026-01-01 08:00:00",
    "EndTime": "2026-01-01 09:00:00",
    "StationElectricity": 1.5,
}


class Operator:
    """An operator's side in twenty lines: seals, posts, opens."""

    def __init__(self, city: CityPlatform, secrets: Secrets = SECRETS, name: str = OPERATOR) -> None:
        self.http = httpx.AsyncClient(base_url=city.url, trust_env=False, timeout=5)
        self.secrets, self.name, self.token = secrets, name, "none"

    def sealed(self, body: Any) -> dict[str, str]:
        data = self.secrets.encrypt(json.dumps(body))
        stamp, seq = "20260101090000", "0001"
        sig = self.secrets.sign(self.name, data, stamp, seq)
        return {"OperatorID": self.name, "Data": data, "TimeStamp": stamp, "Seq": seq, "Sig": sig}

    async def post(self, path: str, envelope: Any) -> tuple[int, dict[str, Any] | None]:
        """Ret and the opened Data."""
        answer = await self.http.post(
            f"/evcs/v1/{path}", json=envelope, headers={"Authorization": f"Bearer {self.token}"}
        )
        answer.raise_for_status()
        fields = answer.json()
        assert fields["Sig"] == self.secrets.sign(str(fields["Ret"]), fields["Msg"], fields["Data"])
        return fields["Ret"], json.loads(self.secrets.decrypt(fields["Data"])) if fields["Data"] else None

    async def push(self, path: str, body: Any) -> tuple[int, dict[str, Any] | None]:
        return await self.post(path, self.sealed(body))

    async def log_in(self) -> dict[str, Any]:
        """A token, asked for with the operator's secret."""
        asked = {"OperatorID": self.name, "OperatorSecret": self.secrets.operator_secret}
        _, told = await self.push("query_token", asked)
        assert told is not None
        self.token = told["AccessToken"]
        return told


@pytest.fixture
async def city() -> AsyncIterator[CityPlatform]:
    async with CityPlatform({OPERATOR: SECRETS}) as platform:
        yield platform


@pytest.fixture
async def operator(city: CityPlatform) -> AsyncIterator[Operator]:
    one = Operator(city)
    await one.log_in()
    yield one
    await one.http.aclose()


@pytest.mark.parametrize("vector", [*VECTORS["published"], *VECTORS["derived"]], ids=lambda v: v["id"])
def test_the_citys_own_cryptography(vector: dict[str, Any]) -> None:
    """It was written on its own and gives the published bytes."""
    example = Secrets()
    if vector["kind"] == "request":
        signed = [vector[name] for name in ("OperatorID", "Data", "TimeStamp", "Seq")]
    else:
        signed = [str(vector["Ret"]), vector["Msg"], vector["Data"]]

    assert example.sign(*signed) == vector["Sig"]
    if vector["plaintext"] is not None:
        assert example.decrypt(vector["Data"]) == vector["plaintext"]
        assert example.encrypt(vector["plaintext"]) == vector["Data"]


async def test_an_order_counts_once(city: CityPlatform, operator: Operator) -> None:
    """The same order again is a duplicate; with other contents, or back to earlier ones, a new version."""
    answers = [
        await operator.push("notification_charge_order_info", body)
        for body in (ORDER, ORDER, ORDER | {"TotalPower": 13}, ORDER)
    ]

    assert answers == [(0, {"StartChargeSeq": SEQ, "ConnectorID": "CS-00010101", "ConfirmResult": 0})] * 4
    assert city.ledger.summary()["orders"] == {
        "accepted": 1,
        "received": 4,
        "duplicates": 1,
        "corrections": 2,
        "disputed": 0,
        "energy_wh": 12_350,
    }
    assert [version["body"]["TotalPower"] for version in city.ledger.history(SEQ)] == [12.35, 13, 12.35]


async def test_the_highest_revision_stands(city: CityPlatform, operator: Operator) -> None:
    """An older revision that comes late is kept as history only."""
    for revision, kwh in [(2, 2.0), (1, 1.0)]:
        await operator.push(
            "notification_charge_order_info", ORDER | {"Revision": revision, "TotalPower": kwh}
        )

    assert city.ledger.orders()[0]["energy_wh"] == 2000
    assert city.ledger.orders()[0]["versions"] == 2


async def test_hours_and_states(city: CityPlatform, operator: Operator) -> None:
    """Hours are kept by site and hour, connectors by their latest state, in an object or an array."""
    await operator.push("notification_stationStats", {"StationStats": HOUR})
    await operator.push("notification_stationStats", {"StationStats": HOUR | {"StationElectricity": 2}})
    await operator.push(
        "notification_stationStatus", {"ConnectorStatusInfo": {"ConnectorID": "A", "Status": 1}}
    )
    several = [{"ConnectorID": "A", "Status": 3}, {"ConnectorID": "B", "Status": 255}]
    await operator.push("notification_stationStatus", {"ConnectorStatusInfos": several})

    summary = city.ledger.summary()
    assert (summary["hours"]["accepted"], summary["hours"]["energy_wh"]) == (1, 2000)
    assert summary["statuses"] == {"received": 3, "connectors": 2, "by_status": {"3": 1, "255": 1}}


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        *(
            ("notification_charge_order_info", ORDER | wrong, next(iter(wrong)))
            for wrong in (
                {"StartChargeSeq": "short"},
                {"StartChargeSeq": 5},
                {"ConnectorID": "C" * 27},
                {"StartTime": "2026-01-01T08:00:00"},
                {"EndTime": None},
                {"TotalPower": "12.35"},
                {"TotalPower": -1},
                {"TotalMoney": True},
                {"StopReason": "0"},
                {"Revision": 1.5},
            )
        ),
        (
            "notification_charge_order_info",
            {k: v for k, v in ORDER.items() if k != "TotalSeviceMoney"},
            "Total",
        ),
        ("notification_stationStatus", {}, "ConnectorStatusInfo"),
        ("notification_stationStatus", {"ConnectorStatusInfos": []}, "ConnectorStatusInfo"),
        ("notification_stationStatus", {"ConnectorStatusInfo": {"ConnectorID": "A", "Status": 7}}, "Status"),
        ("notification_stationStats", {"StationStats": 5}, "StationStats"),
        ("notification_stationStats", {"StationStats": HOUR | {"StationID": ""}}, "StationID"),
    ],
)
async def test_a_field_it_does_not_take(
    city: CityPlatform, operator: Operator, path: str, body: dict[str, Any], field: str
) -> None:
    """Ret 4004 and nothing in the ledger."""
    answer = (
        await operator.http.post(f"/{path}", json=operator.sealed(body), headers=bearer(operator))
    ).json()

    assert (answer["Ret"], answer["Data"]) == (4004, "")
    assert field in answer["Msg"]
    assert city.ledger.summary()["orders"]["received"] == city.ledger.summary()["hours"]["received"] == 0


def bearer(operator: Operator) -> dict[str, str]:
    return {"Authorization": f"Bearer {operator.token}"}


async def test_the_order_of_checks(city: CityPlatform, operator: Operator) -> None:
    """Envelope, operator, signature, token, Data: each has its answer."""
    envelope = operator.sealed(ORDER)
    path = "/evcs/v1/notification_charge_order_info"

    async def status(body: Any) -> int:
        return (await operator.http.post(path, json=body, headers=bearer(operator))).status_code

    assert await status({"OperatorID": OPERATOR}) == 400
    assert await status([]) == 400
    assert await status(envelope | {"Seq": "1"}) == 400
    assert await status(envelope | {"OperatorID": "987654321"}) == 401
    assert await operator.post(path[9:], envelope | {"Sig": "0" * 32}) == (4001, None)
    garbled = envelope | {"Data": "AAAA"}
    garbled["Sig"] = SECRETS.sign(*(garbled[name] for name in ("OperatorID", "Data", "TimeStamp", "Seq")))
    assert await operator.post(path[9:], garbled) == (4003, None)
    operator.token = "not a token"
    assert await operator.post(path[9:], envelope) == (4002, None)
    assert city.ledger.summary()["orders"]["received"] == 0


async def test_tokens(city: CityPlatform, operator: Operator) -> None:
    """A right secret brings one for two hours, a wrong one none; one operator's is not another's."""
    assert (await operator.log_in())["TokenAvailableTime"] == 7200
    _, told = await operator.push("query_token", {"OperatorID": OPERATOR, "OperatorSecret": "wrong"})
    assert told == {
        "OperatorID": OPERATOR,
        "SuccStat": 1,
        "AccessToken": "",
        "TokenAvailableTime": 0,
        "FailReason": 2,
    }
    _, told = await operator.push("query_token", {"OperatorID": "else", "OperatorSecret": "operator-secret"})
    assert told is not None
    assert told["FailReason"] == 1

    city.operators["987654321"] = SECRETS
    other = Operator(city, name="987654321")
    other.token = operator.token
    assert (await other.push("notification_charge_order_info", ORDER))[0] == 4002
    await other.http.aclose()


async def test_a_token_ends() -> None:
    """After its life it is refused."""
    async with CityPlatform({OPERATOR: SECRETS}, token_life_s=0) as city:
        operator = Operator(city)
        await operator.log_in()
        assert (await operator.push("notification_charge_order_info", ORDER))[0] == 4002
        await operator.http.aclose()


async def test_an_envelope_that_comes_twice_is_counted(city: CityPlatform, operator: Operator) -> None:
    """The same TimeStamp, Seq and Data: a replay, or a counter that does not count."""
    envelope = operator.sealed(ORDER)
    await operator.post("notification_charge_order_info", envelope)
    await operator.post("notification_charge_order_info", envelope)

    assert city.ledger.summary()["counters"]["envelopes_repeated"] == 1


async def test_the_ledger_is_told_over_http(city: CityPlatform, operator: Operator) -> None:
    """What a status page or a test reads."""
    await operator.push("notification_charge_order_info_for_bonus", ORDER)

    summary = (await operator.http.get("/ledger")).json()
    orders = (await operator.http.get("/ledger/orders")).json()["items"]
    history = (await operator.http.get(f"/ledger/orders/{SEQ}")).json()["items"]

    assert (summary["operators"], summary["behave"]) == ([OPERATOR], [])
    assert summary["latest_orders"] == orders
    assert (orders[0]["key"], orders[0]["energy_wh"]) == (SEQ, 12_350)
    assert [version["version"] for version in history] == [1]
    assert (await operator.http.get("/ledger/hours")).json() == {"items": []}
    assert (await operator.http.get("/ledger/connectors")).json() == {}
    assert (await operator.http.get("/elsewhere")).status_code == 404
    assert (await operator.http.post("/evcs/v1/query_weather", json={})).status_code == 404
    assert (await operator.http.delete("/ledger")).status_code == 404


async def test_faults_are_set_over_http(city: CityPlatform, operator: Operator) -> None:
    """From the same machine; a fault nobody knows changes nothing."""
    told = await operator.http.post("/behave", json={"behave": ["busy=1", f"poison={SEQ}"]})
    assert told.json() == {"behave": ["busy=1", f"poison={SEQ}"]}
    wrongs: list[Any] = [{"behave": ["sulk"]}, {"behave": 5}, {}, []]
    for wrong in wrongs:
        assert (await operator.http.post("/behave", json=wrong)).status_code == 400

    assert (await operator.push("notification_charge_order_info", ORDER))[0] == -1
    assert (await operator.push("notification_charge_order_info", ORDER))[0] == 4004
    city.behave()
    assert (await operator.push("notification_charge_order_info", ORDER))[0] == 0


async def test_faults_are_not_for_strangers(city: CityPlatform) -> None:
    """Another machine may not set them."""
    stranger = HttpRequest("POST", "/behave", {}, b'{"behave": []}', "192.0.2.1")

    assert (await city._handle(stranger)).status == 403
    assert (await city._handle(replace(stranger, peer="127.0.0.1"))).status == 200


def test_faults_follow_one_another() -> None:
    """In the order given, each as often as said; words only where they belong."""
    faults = Faults(["busy=2", "dispute=1", "http500"])

    assert [faults.next(kind) for kind in ("order", "status", "status", "order", "order")] == [
        "busy",
        "busy",
        "http500",
        "dispute",
        "http500",
    ]
    assert faults.told() == ["http500"]


@pytest.mark.parametrize("text", ["sulk", "busy=often", "delay=", "delay=soon", "poison="])
def test_a_fault_that_does_not_exist(text: str) -> None:
    """It is refused with its name."""
    with pytest.raises(BadFault, match=text):
        Faults([text])


def test_every_fault_is_described() -> None:
    """For the command line's help."""
    assert all(EVERY.values())


@pytest.mark.parametrize(
    "raw",
    [
        b"GET\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"GET / HTTP/1.1\r\nX: " + b"x" * 40_000 + b"\r\n\r\n",
    ],
)
async def test_what_is_no_request(city: CityPlatform, raw: bytes) -> None:
    """HTTP 400 and the end of the connection."""
    host, port = city.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(raw)

    assert (await reader.read()).startswith(b"HTTP/1.1 400 ")
    writer.close()


async def test_a_ledger_in_a_file_lives_on(tmp_path: Path) -> None:
    """What was accepted is still known after the city was started anew."""
    file = tmp_path / "deep" / "city.db"
    for expected in (1, 2):
        async with CityPlatform({OPERATOR: SECRETS}, ledger=file) as city:
            operator = Operator(city)
            await operator.log_in()
            await operator.push("notification_charge_order_info", ORDER)
            await operator.http.aclose()
            numbers = city.ledger.summary()["orders"]
            assert (numbers["accepted"], numbers["received"]) == (1, expected)


async def test_stopping_cuts_connections_and_keeps_the_port(city: CityPlatform, operator: Operator) -> None:
    """An outage: nobody answers; afterwards the same address does."""
    url = city.url
    await city.stop()
    with pytest.raises(httpx.TransportError):
        await operator.http.get("/ledger")
    await city.start()

    assert city.url == url
    assert (await operator.http.get("/ledger")).status_code == 200


@pytest.mark.parametrize("way", [signal.SIGINT, signal.SIGTERM])
def test_run_city_serves_until_interrupted(way: signal.Signals) -> None:
    """As `python -m simulators city` does: prints its address, ends cleanly on Ctrl-C or when told to."""
    words = (
        f"from simulators.city_cli import run_city; run_city(port=0, operator_id=['{OPERATOR}', 'ABCDEFGH9'])"
    )
    with subprocess.Popen([sys.executable, "-c", words], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        url = line.split()[3].removesuffix("/evcs/v1/")
        told = httpx.get(f"{url}/ledger", trust_env=False).json()
        process.send_signal(way)
        assert process.wait(10) == 0

    assert told["operators"] == [OPERATOR, "ABCDEFGH9"]
