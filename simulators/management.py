"""The central system's HTTP API as the fleet uses it: registry, history, readings. No rule of its own."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx

Row = dict[str, Any]
PAGE = 1000
AT_ONCE = 8
RETRY_S = 0.5


class ApiError(Exception):
    """The central system's API did not do as asked."""

    def __str__(self) -> str:
        return " ".join([str(type(self).__doc__), *map(str, self.args)])


def find_key(given: str | None) -> str:
    """The key on the command line, in CSMS_API_KEY, or a new one from the csms beside this Python.

    Raises ApiError when there is no way to one.
    """
    key = given or os.environ.get("CSMS_API_KEY")
    if key:
        return key
    csms = Path(sys.executable).with_name("csms")
    command = [str(csms), "api-key", "create", "--role", "admin"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    except (OSError, subprocess.SubprocessError) as exc:
        raise ApiError(f"no --api-key, no CSMS_API_KEY, and {' '.join(command)} failed: {exc}") from exc
    lines = done.stdout.split()
    if not lines:
        raise ApiError(f"{' '.join(command)} printed no key")
    return lines[-1]


class Management:
    """One API client. Requests wait up to `patience_s` seconds for a server that is away."""

    def __init__(self, base: str, key: str, patience_s: float) -> None:
        headers = {"Authorization": f"Bearer {key}"}
        self._client = httpx.AsyncClient(base_url=base, headers=headers, timeout=30, trust_env=False)
        self._patience_s = patience_s

    async def __aenter__(self) -> Management:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.aclose()

    async def put(self, resource: str, rows: Iterable[Row]) -> None:
        """Create or update registry entries, a few at a time."""
        gate = asyncio.Semaphore(AT_ONCE)

        async def one(row: Row) -> None:
            async with gate:
                await self._request("POST", f"/api/v1/{resource}", json=row)

        async with asyncio.TaskGroup() as tasks:
            for row in rows:
                tasks.create_task(one(row))

    async def sessions_at(self, sites: Iterable[str]) -> list[Row]:
        """Every session at these sites."""
        rows: list[Row] = []
        for site in sites:
            rows += [row async for row in self._pages("/api/v1/sessions", {"site": site})]
        return rows

    async def readings_count(self, session_id: str) -> int:
        """How many readings a session has."""
        return sum([1 async for _ in self._pages(f"/api/v1/sessions/{session_id}/readings", {})])

    async def _pages(self, path: str, query: dict[str, str]) -> AsyncIterator[Row]:
        after: dict[str, str] = {}
        while True:
            page = await self._request("GET", path, params={**query, "limit": str(PAGE), **after})
            items = page["items"] if isinstance(page, dict) else page
            for item in items:
                yield item
            cursor = page.get("next") if isinstance(page, dict) else None
            if not cursor:
                return
            after = {"after": cursor}

    async def _request(self, method: str, path: str, **more: Any) -> Any:
        give_up = asyncio.get_running_loop().time() + self._patience_s
        while True:
            problem = ""
            try:
                answer = await self._client.request(method, path, **more)
            except httpx.TransportError as exc:
                problem = f"{type(exc).__name__} {exc}"
            else:
                if answer.status_code < 400:
                    return answer.json()
                problem = f"{answer.status_code} {answer.text[:300]}"
                if answer.status_code not in (429, 502, 503, 504):
                    raise ApiError(f"{method} {path}: {problem}")
            if asyncio.get_running_loop().time() > give_up:
                raise ApiError(f"{method} {path}: {problem}")
            await asyncio.sleep(RETRY_S)
