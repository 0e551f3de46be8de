"""The simulated city platform as a child process, and what its ledger says. Knows no CSMS."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

import httpx

from tests.serverkit import Child, free_port

OPERATOR = "123456789"
SECRET = "1234567890abcdef"
POLL_S = 0.1


class City:
    """`python -m simulators city` with a ledger in memory."""

    def __init__(self, directory: Path) -> None:
        self._port = free_port()
        options = ["--port", str(self._port), "--operator-id", OPERATOR, "--secret", SECRET]
        self.child = Child("city", [sys.executable, "-m", "simulators", "city", *options], directory)

    @property
    def platform(self) -> dict[str, Any]:
        """This city as an entry of `reporting.platforms`."""
        return {
            "name": "city",
            "profile": "beijing",
            "url": f"http://127.0.0.1:{self._port}/evcs/v1",
            "operator": OPERATOR,
            "operator_secret": SECRET,
            "data_secret": SECRET,
            "data_secret_iv": SECRET,
            "sig_secret": SECRET,
        }

    async def start(self) -> None:
        """Start and wait until it listens."""
        self.child.spawn()
        await self.child.listening(self._port)

    async def orders(self) -> list[dict[str, Any]]:
        """Every charge order in the ledger, in the order of arrival."""
        async with httpx.AsyncClient(timeout=10) as client:
            answer = await client.get(f"http://127.0.0.1:{self._port}/ledger/orders")
        found: list[dict[str, Any]] = answer.raise_for_status().json()["items"]
        return found

    async def order(self, start_charge_seq: str, within_s: float = 20.0) -> dict[str, Any]:
        """The one order of a session. TimeoutError if it does not come; AssertionError if it came twice."""
        async with asyncio.timeout(within_s):
            while True:
                found = [order for order in await self.orders() if order["key"] == start_charge_seq]
                if found:
                    break
                await asyncio.sleep(POLL_S)
        assert len(found) == 1
        return found[0]
