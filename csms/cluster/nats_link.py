"""Keeps a connection to NATS: notices its end and connects again, for ever. Knows no subject.

The client library could reconnect by itself, but then takes up its subscriptions as they were; here every
connection starts anew from what is wanted at that moment.
"""

import asyncio
import contextlib
import math
import random
from collections.abc import Awaitable, Callable
from typing import NamedTuple

import structlog
from nats import errors
from nats.aio.client import Client

from csms.cluster.bus import BusAway

log = structlog.get_logger()

CONNECT_S = 3.0
PING_S, PINGS = 10, 2  # s, unanswered ones: half a minute until a link without any sign is given up

Work = Callable[[Client], Awaitable[None]]


class Retry(NamedTuple):
    """Pauses between attempts in seconds: the first, and the longest. Each is jittered by half."""

    first_s: float = 0.2
    longest_s: float = 5.0

    def pause(self, failures: int) -> float:
        """How long to wait after so many failures in a row."""
        return min(self.longest_s, self.first_s * 2.0 ** min(failures, 10)) * random.uniform(0.5, 1.5)


class NatsLink:
    """`work` runs with the client while the link is up, and is cancelled when it is lost.

    Log lines come at the first failure and at the recovery, nothing between.
    """

    def __init__(self, url: str, name: str, work: Work, retry: Retry) -> None:
        self._url, self._name, self._work, self._retry = url, name, work, retry
        self._tried = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._away = False  # so that it is logged once
        self._reason = ""
        self.client: Client | None = None
        self.ended: asyncio.Future[None]

    async def start(self) -> None:
        """Try to connect once (seconds at most), then keep trying behind the scenes."""
        self._task = asyncio.create_task(self._keep())
        await self._tried.wait()

    async def stop(self) -> None:
        """Disconnect."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _keep(self) -> None:
        failures = 0
        while True:
            ended = asyncio.get_running_loop().create_future()
            client = await self._connect(ended)
            if client is None:
                failures += 1
            else:
                failures = 0
                await self._use(client, ended)
            self._tell_away()
            self._tried.set()
            await asyncio.sleep(self._retry.pause(failures))

    async def _connect(self, ended: "asyncio.Future[None]") -> Client | None:
        client = Client()
        try:
            async with asyncio.timeout(CONNECT_S):
                await connect(client, self._url, self._name, self._note, ended)
        except (OSError, errors.Error) as exc:
            # "No servers" is only the sum; what each one said was noted.
            self._reason = self._reason or str(exc) or type(exc).__name__
            await _close(client)
            return None
        except asyncio.CancelledError:
            await _close(client)
            raise
        return client

    async def _use(self, client: Client, ended: "asyncio.Future[None]") -> None:
        self._reason = ""
        self.client, self.ended = client, ended
        work = asyncio.ensure_future(self._work(client))
        log.info("bus_recovered" if self._away else "bus_connected", server=_address(client))
        self._away = False
        self._tried.set()
        try:
            await asyncio.wait({work, ended}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self.client = None
            work.cancel()
            (failure,) = await asyncio.gather(work, return_exceptions=True)
            await _close(client)
        if isinstance(failure, Exception) and not self._reason:
            self._reason = repr(failure)

    async def _note(self, exc: Exception) -> None:
        """The library's reports. Those that end the link are told then, the others here, once a link."""
        told = bool(self._reason)
        self._reason = str(exc) or type(exc).__name__
        if self.client is None or told:
            return
        # Of the plain errors only missing permissions leave the link up.
        if isinstance(exc, errors.SlowConsumerError) or type(exc) is errors.Error:
            log.warning("bus_refused", error=self._reason)

    def _tell_away(self) -> None:
        if not self._away:
            log.warning("bus_lost", error=self._reason or "the server closed the connection")
        self._away, self._reason = True, ""


async def connect(
    client: Client,
    url: str,
    name: str,
    note: Callable[[Exception], Awaitable[None]],
    ended: "asyncio.Future[None]",
) -> None:
    """Connect once to one of the servers in `url` (separated by commas); `ended` is set at its end.

    Raises OSError (also when it takes too long) or nats.errors.Error.
    """

    async def close() -> None:
        if not ended.done():
            ended.set_result(None)

    await client.connect(
        servers=[part.strip() for part in url.split(",")],
        name=name,
        error_cb=note,
        closed_cb=close,
        allow_reconnect=False,
        # The library counts attempts for each server, and without a limit never comes back.
        max_reconnect_attempts=1,
        reconnect_time_wait=0,
        connect_timeout=math.ceil(CONNECT_S),
        ping_interval=PING_S,
        max_outstanding_pings=PINGS,
        # What this process says, those who listen here have heard already.
        no_echo=True,
    )


def _address(client: Client) -> str:
    """Without the password that the URL may hold."""
    url = client.connected_url
    return f"{url.hostname}:{url.port}" if url is not None else ""


async def probe(url: str) -> str:
    """The version of the server that answers. Raises BusAway with the reason where none does."""
    reasons: list[str] = []

    async def note(exc: Exception) -> None:
        reasons.append(str(exc))

    client = Client()
    try:
        async with asyncio.timeout(CONNECT_S):
            await connect(client, url, "csms doctor", note, asyncio.get_running_loop().create_future())
        version = client.connected_server_version
    except (OSError, errors.Error) as exc:
        raise BusAway(reasons[0] if reasons else str(exc) or type(exc).__name__) from exc
    finally:
        await _close(client)
    return f"{version.major}.{version.minor}.{version.patch}"


async def _close(client: Client) -> None:
    # A socket that broke says so once more when it is closed.
    with contextlib.suppress(OSError, errors.Error):
        await client.close()
