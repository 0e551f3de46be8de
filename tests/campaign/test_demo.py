"""The demo as a newcomer has it: started, looked at through its API, stopped with a signal, started again."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path

import httpx

from tests.campaign.kit import until
from tests.serverkit import Child, free_port

STARTED_WITHIN_S = 60.0
STOPPED_WITHIN_S = 30.0


async def test_the_demo_charges_and_reports_and_finds_its_data_again(tmp_path: Path) -> None:
    """The environment chooses the ports, fleet and texts follow; nothing is set aside for the city."""
    port, http_port, city_port = free_port(), free_port(), free_port()
    command = [sys.executable, "-m", "csms", "demo", "--days", "1", "--city-port", str(city_port)]
    ports = {"CSMS_GATEWAY__PORT": str(port), "CSMS_HTTP__PORT": str(http_port)}
    demo = Child("demo", command, tmp_path, ports)
    try:
        demo.spawn()
        await until(partial(ended_sessions, http_port, tmp_path), STARTED_WITHIN_S)
        sent = await until(partial(told_orders, city_port), STARTED_WITHIN_S)
        assert await dead(http_port, tmp_path) == []
        assert f"http://127.0.0.1:{http_port}/" in demo.log_tail()
        assert await demo.stop(STOPPED_WITHIN_S) == 0

        demo.spawn()
        await until(partial(ended_sessions, http_port, tmp_path), STARTED_WITHIN_S)
        assert await until(partial(told_orders, city_port), STARTED_WITHIN_S) >= sent
        assert await demo.stop(STOPPED_WITHIN_S) == 0
    finally:
        demo.kill()
        print(demo.log_tail())


async def ended_sessions(http_port: int, folder: Path) -> bool:
    """Whether the API has a session that ended; None of it while nothing listens."""
    found = await asked(http_port, folder, "sessions")
    return any(one["state"] == "ended" for one in found)


async def dead(http_port: int, folder: Path) -> list[dict[str, object]]:
    """The records for the city that were set aside."""
    return await asked(http_port, folder, "outbox", state="dead")


async def asked(http_port: int, folder: Path, path: str, **parameters: str) -> list[dict[str, object]]:
    key = folder / "data" / "demo" / "admin.key"
    if not key.exists():
        return []
    async with httpx.AsyncClient(headers={"Authorization": f"Bearer {key.read_text()}"}) as client:
        try:
            answer = await client.get(f"http://127.0.0.1:{http_port}/api/v1/{path}", params=parameters)
        except httpx.TransportError:
            return []
    answer.raise_for_status()
    return list(answer.json()["items"])


async def told_orders(city_port: int) -> int:
    """How many orders the simulated city has accepted; 0 while it does not listen."""
    async with httpx.AsyncClient() as client:
        try:
            answer = await client.get(f"http://127.0.0.1:{city_port}/ledger")
        except httpx.TransportError:
            return 0
    return int(answer.json()["orders"]["accepted"])
