"""uvicorn inside our own loop. Knows an application and an address; nothing of what is served."""

import asyncio
import contextlib
import socket
from typing import Any

import uvicorn
from fastapi import FastAPI

from csms.config import Settings

STOP_HTTP_S = 5
BACKLOG = 2048


class HttpServer:
    """uvicorn inside our loop; the signals are ours."""

    def __init__(self, api: FastAPI, settings: Settings) -> None:
        self._address = (settings.http.host, settings.http.port)
        config = uvicorn.Config(
            api,
            log_config=None,
            access_log=False,
            lifespan="on",
            # Believing everybody would let anyone choose the address that is throttled and audited.
            proxy_headers=bool(settings.http.trusted_proxies),
            forwarded_allow_ips=list(settings.http.trusted_proxies),
            timeout_graceful_shutdown=STOP_HTTP_S,
        )
        self._server = _QuietServer(config)
        self._task: asyncio.Task[None] | None = None

    @property
    def port(self) -> int:
        """The port it listens on; the system's choice where 0 is configured."""
        return int(self._socket.getsockname()[1])

    async def start(self) -> None:
        """Listen. Raises OSError when the address cannot be had."""
        # Bound here: uvicorn would end the process by itself when it cannot.
        family = socket.AF_INET6 if ":" in self._address[0] else socket.AF_INET
        self._socket = socket.create_server(self._address, family=family, backlog=BACKLOG)
        self._task = asyncio.create_task(self._server.serve(sockets=[self._socket]))
        while not self._server.started:
            if self._task.done():
                self._task.result()
                raise OSError("the HTTP server did not start")
            await asyncio.sleep(0.01)

    async def stop(self) -> None:
        """Finish the requests that are being answered."""
        self._server.should_exit = True
        if self._task is not None:
            await self._task


class _QuietServer(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Any:
        """`run` decides what a signal means."""
        yield
