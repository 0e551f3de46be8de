"""Asset data of the demo, imported over the API as any operator would. Names and numbers are invented.

The areas are Beijing's real districts (GB/T 2260). Files are imported in the order of what refers to what.
"""

import asyncio
from pathlib import Path

import httpx

FILES = tuple(
    Path(__file__).with_name(f"{level}.csv") for level in ("operators", "sites", "equipment", "connectors")
)
WAIT_S = 1.0  # between tries: the fleet registers its stations while this waits
TRIES = 120


def contents() -> list[bytes]:
    """The files' contents, in order."""
    return [file.read_bytes() for file in FILES]


async def enter(client: httpx.AsyncClient, wait_s: float = WAIT_S, tries: int = TRIES) -> bool:
    """Import every file; one that names stations nobody registered yet is tried again. Whether all were."""
    for content in contents():
        for _ in range(tries):
            answer = await _sent(client, content)
            if answer == 200:
                break
            await asyncio.sleep(wait_s)
        else:
            return False
    return True


async def _sent(client: httpx.AsyncClient, content: bytes) -> int:
    try:
        answer = await client.post("/api/v1/assets/import", content=content)
    except httpx.TransportError:
        return 0
    return answer.status_code
