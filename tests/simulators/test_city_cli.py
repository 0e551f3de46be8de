"""`python -m simulators city ...` as a person uses it."""

import asyncio
import json
import re
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from simulators.city_cli import app, run_city
from tests.simulators.city_kit import OPERATOR, SECRETS, meeting, orders
from tests.simulators.test_city_queries import System

ROOT = Path(__file__).parents[2]
SEQ = next(orders(1)).seq


async def city(*arguments: str) -> asyncio.subprocess.Process:
    """`python -m simulators city` with these arguments."""
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "simulators", "city", *arguments),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )


@asynccontextmanager
async def serving(*arguments: str) -> AsyncIterator[tuple[str, asyncio.subprocess.Process]]:
    """A city of its own on a free port; its address."""
    process = await city("--port", "0", *arguments)
    assert process.stdout is not None
    line = (await asyncio.wait_for(process.stdout.readline(), 20)).decode()
    try:
        yield line.split()[-1].removesuffix("/ledger"), process
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def test_a_city_of_a_profile_with_faults_and_a_falsified_order() -> None:
    """It says what it does, line by line, and shows the same over HTTP."""
    options = ("--profile", "beijing", "--faults", "rough,away-an-hour", "--seed", "3", "--falsify", SEQ)
    async with serving(*options, "--operator-id", OPERATOR) as (url, process):
        async with httpx.AsyncClient(trust_env=False) as http:
            summary = (await http.get(f"{url}/ledger")).json()
            page = await http.get(f"{url}/")
        process.terminate()
        assert process.stdout is not None
        said = (await process.stdout.read()).decode()

    assert (summary["profile"], summary["operators"], summary["falsified"]) == ("beijing", [OPERATOR], [SEQ])
    assert summary["behave"][0] == "lose~0.05"
    assert summary["behave"][-1] == "down=600+3600"
    assert page.headers["Content-Type"] == "text/html;charset=utf-8"
    assert "e充网" in page.text
    assert "fault in force: bad-mac~0.03" in said


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--profile", "gotham"], "--profile: .*gotham: there are beijing"),
        (["--faults", "sulk"], "--behave: sulk: known are delay=SECONDS"),
        (["--behave", "lose~1.5"], "chances are from 0 to 1"),
        (["--behave", "down=soon"], "soon is not a number"),
        (["--secret", "short"], "16 characters are needed"),
    ],
)
async def test_what_cannot_be(options: list[str], expected: str) -> None:
    """Exit 1 with a sentence."""
    process = await city("--port", "0", *options)
    output, _ = await asyncio.wait_for(process.communicate(), 20)
    assert process.returncode == 1

    assert re.search(expected, output.decode().replace("\n", " "))


async def query(system: System, *arguments: str) -> tuple[int | None, str]:
    """`city query` at a small operator's system; exit code and output."""
    keys = {
        "--operator-secret": SECRETS.operator_secret,
        "--data-secret": SECRETS.data_secret,
        "--data-secret-iv": SECRETS.data_secret_iv,
        "--sig-secret": SECRETS.sig_secret,
    }
    where = [
        "--url",
        f"http://127.0.0.1:{system.server.port}",
        *(word for pair in keys.items() for word in pair),
    ]
    process = await city("query", *arguments, *where)
    output, _ = await asyncio.wait_for(process.communicate(), 20)
    return process.returncode, output.decode()


@pytest.fixture
async def system() -> AsyncIterator[System]:
    one = System("tcec102-2016")
    await one.server.start()
    yield one
    await one.server.stop()


async def test_a_question_and_its_answer(system: System) -> None:
    """Serial numbers and tokens are made; exit 0 where all is well."""
    code, said = await query(system, "query_equip_auth", "--set", "ConnectorID=CS-00010101")
    assert (code, "query_equip_auth Ret 0" in said) == (0, True), said
    _, asked, _ = system.asked[-1]
    assert (asked["ConnectorID"], len(asked["EquipAuthSeq"])) == ("CS-00010101", 27)

    code, said = await query(system, "query_token")
    assert (code, '"TokenAvailableTime": 7200' in said) == (0, True), said


async def test_an_answer_with_a_mistake(system: System) -> None:
    """Its field and reason, and exit 1."""
    system.bend = lambda name, asked, told: told | ({"Total": 9} if "Total" in told else {})
    code, said = await query(system, "query_station_status", "--body", '{"StationIDs": ["S01"]}')
    assert (code, "Total: 9 but 1 stations" in said) == (1, True), said


async def test_every_page(system: System) -> None:
    """One question a page."""
    system.bend = lambda name, asked, told: (
        told | {"PageNo": asked["PageNo"], "PageCount": 2, "ItemSize": 2} if "ItemSize" in told else told
    )
    options = ("--set", "PageNo=1", "--set", "PageSize=1", "--every-page")
    code, said = await query(system, "query_stations_info", *options)
    assert code == 0, said
    pages = [asked["PageNo"] for path, asked, _ in system.asked if path.endswith("stations_info")]
    assert pages == [1, 2]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["query_weather"], "this profile has query_equip_auth"),
        (["query_equip_auth", "--set", "ConnectorID"], "NAME=VALUE is needed"),
        (["query_equip_auth", "--body", "{"], "Expecting"),
        (["query_equip_auth"], "ConnectorID: missing"),
    ],
)
async def test_a_question_that_cannot_be_asked(system: System, arguments: list[str], expected: str) -> None:
    """Exit 2, and nobody is asked."""
    code, said = await query(system, *arguments)
    assert (code, expected in said) == (2, True), said
    assert system.asked == []


def test_faults_are_listed() -> None:
    """With what each does."""
    said = CliRunner().invoke(app, ["faults"]).output
    assert "duplicate-keys" in said
    assert "away-two-days" in said


async def test_an_order_is_falsified_over_http() -> None:
    """From the same machine; the export says so too."""
    order = next(orders(1))
    async with meeting("simulated") as operator:
        await operator.push("/evcs/v1/notification_charge_order_info", order.body("simulated"))
        told = await operator.http.post("/falsify", json={"order": order.seq})
        export = (await operator.http.get("/ledger/export")).json()
        assert (await operator.http.post("/falsify", json={})).status_code == 400
    assert told.json() == {"falsified": [order.seq]}
    assert export["profile"] == "simulated"
    assert [one["energy_wh"] for one in export["orders"]] == [order.wh + 1000]
    assert json.dumps(export)


def test_run_city_refuses_what_cannot_be() -> None:
    """A secret that is no AES key; a fault nobody knows; a port that is taken."""
    with pytest.raises(
        SystemExit, match="sulk: known are delay=SECONDS, poison=SEQ, down=SECONDS, refuse, busy"
    ):
        run_city(behave=["sulk"])
    with pytest.raises(SystemExit, match="16 characters"):
        run_city(secret="short")
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(SystemExit, match="cannot listen"):
        run_city(port=taken.getsockname()[1])
