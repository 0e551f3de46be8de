"""An independent client as a child process: tells a story, then says what it is asked. Knows no OCPP."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.clients.node import require_node
from tests.serverkit import clean_environment

HERE = Path(__file__).parent
REPOSITORY = HERE.parents[1]
STORY_WITHIN_S = 60.0
LINE_LIMIT = 1_048_576


class WitnessFailed(Exception):
    """The independent client ended before it should."""


@dataclass
class Witness:
    """A running client: `did` holds (action, answer) in order, `invalid` what broke its schemas."""

    name: str
    process: asyncio.subprocess.Process
    errors: Path
    did: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    invalid: list[str] = field(default_factory=list)

    async def tell(self, order: dict[str, Any]) -> None:
        """Hand it the order and wait until the story is told. Raises WitnessFailed with its own words."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(order).encode() + b"\n")
        await self.process.stdin.drain()
        async with asyncio.timeout(STORY_WITHIN_S):
            while not await self._step():
                pass

    async def until_asked(self, action: str, within_s: float = 10.0) -> dict[str, Any]:
        """The payload of the first such command; TimeoutError if none comes."""
        async with asyncio.timeout(within_s):
            while not (found := [payload for name, payload in self.asked if name == action]):
                await self._step()
        return found[0]

    async def _step(self) -> bool:
        """Take in one line; True when it says that the story is told."""
        assert self.process.stdout is not None
        line = await self.process.stdout.readline()
        if not line:
            words = self.errors.read_text(errors="replace")[-3_000:]
            raise WitnessFailed(f"{self.name} did {[name for name, _ in self.did]}, then: {words}")
        said = json.loads(line)
        if "did" in said:
            self.did.append((said["did"], said["answer"]))
        elif "asked" in said:
            self.asked.append((said["asked"], said["payload"]))
        elif "invalid" in said:
            self.invalid.append(said["invalid"])
        return "told" in said


@asynccontextmanager
async def witness(name: str, directory: Path) -> AsyncIterator[Witness]:
    """Start one of COMMANDS, its complaints in a file of `directory`.

    Skips (under CI fails) the test where node is needed and missing.
    """
    command, errors = COMMANDS[name], directory / f"{name}.err"
    node = require_node() if command[0] == "node" else {}
    with errors.open("wb") as complaints:
        process = await asyncio.create_subprocess_exec(
            *command,
            cwd=REPOSITORY,
            env=clean_environment() | node | {"PYTHONPATH": os.fspath(REPOSITORY)},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=complaints,
            limit=LINE_LIMIT,
        )
    try:
        yield Witness(name, process, errors)
    finally:
        if process.returncode is None:
            process.kill()
        # Reads the pipe to its end, so that the loop closes it.
        await process.communicate()


COMMANDS = {
    "ocpp": [sys.executable, "-m", "tests.clients.stock_ocpp"],
    "ocpp-rpc": ["node", os.fspath(HERE / "ocpp_rpc_client.js")],
    "ocpp-ts": ["node", os.fspath(HERE / "ocpp_ts_client.js")],
}
