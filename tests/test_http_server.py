"""The HTTP server: it listens when it says so, stops when it is told, and says when it cannot."""

import httpx
import pytest
from fastapi import FastAPI, Request

from csms.config import Settings
from csms.config_http import HttpSettings
from csms.http_server import HttpServer


def at(port: int, proxies: tuple[str, ...] = ()) -> Settings:
    """Settings for this port."""
    return Settings(http=HttpSettings(port=port, trusted_proxies=proxies))


async def test_it_serves_until_it_is_stopped() -> None:
    """On a port of the system's choice."""
    server = HttpServer(FastAPI(), at(0))
    await server.start()
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{server.port}") as client:
        answer = await client.get("/openapi.json")
        await server.stop()
        with pytest.raises(httpx.TransportError):
            await client.get("/openapi.json")

    assert answer.status_code == 200


async def test_a_port_that_is_taken_is_an_error() -> None:
    """Said by `start`, not by the end of the process."""
    first = HttpServer(FastAPI(), at(0))
    await first.start()

    with pytest.raises(OSError, match="in use"):
        await HttpServer(FastAPI(), at(first.port)).start()
    await first.stop()


@pytest.mark.parametrize(("proxies", "seen"), [((), "127.0.0.1"), (("127.0.0.1",), "192.0.2.7")])
async def test_who_is_believed(proxies: tuple[str, ...], seen: str) -> None:
    """A16: a forwarded address counts from a proxy that is named, and from nobody else."""
    app = FastAPI()

    @app.get("/who")
    async def who(request: Request) -> str:
        return request.client.host if request.client else ""

    server = HttpServer(app, at(0, proxies))
    await server.start()
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{server.port}") as client:
        answer = await client.get("/who", headers={"X-Forwarded-For": "192.0.2.7"})
    await server.stop()

    assert answer.json() == seen
