"""The floor: a bare asyncio.Protocol on uvloop that echoes whole frames. One argument: the port.

It unmasks nothing and reads no payload: no WebSocket server can be cheaper on this machine.
"""

from __future__ import annotations

import asyncio
import sys
from typing import cast

import uvloop

SWITCH = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
FRAME = 258  # a masked frame of 250 bytes: 2 + 2 + 4 + 250


class Echo(asyncio.Protocol):
    """Answers the upgrade, then sends every frame back."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._is_open = False

    def data_received(self, data: bytes) -> None:
        if not self._is_open:
            self._is_open = True
            self._transport.write(SWITCH)
        elif len(data) == FRAME:
            self._transport.write(b"\x81\x7e\x00\xfa" + data[8:])


async def serve(port: int) -> None:
    """Serve until the process is ended."""
    server = await asyncio.get_running_loop().create_server(Echo, "127.0.0.1", port, backlog=4096)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1])))
