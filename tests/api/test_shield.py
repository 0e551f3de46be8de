"""Limits and headers that every answer has."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from csms.api.shield import HEADERS, MAX_BODY_BYTES


@pytest.mark.parametrize("path", ["/healthz", "/metrics", "/api/v1/operators", "/api/v1/nothing", "/nothing"])
async def test_security_headers(desk: Any, path: str) -> None:
    """On every answer, errors too."""
    async with desk.anonymous() as client:
        answer = await client.get(path)

    for name, value in HEADERS.items():
        assert answer.headers[name] == value
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]


async def test_data_is_neither_kept_nor_run(desk: Any) -> None:
    """Answers of the API are not cached and may load nothing."""
    async with await desk.client() as client:
        answer = await client.get("/api/v1/operators")

    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")


async def test_a_body_that_says_it_is_too_large(desk: Any) -> None:
    """413 before anything of it is read."""
    async with await desk.client() as client:
        answer = await client.post("/api/v1/operators", content=b" " * (MAX_BODY_BYTES + 1))

    assert answer.status_code == 413
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_body_that_grows_too_large(desk: Any) -> None:
    """A chunked body has no length to tell: it is counted while it comes."""
    taken = []

    async def body() -> AsyncIterator[bytes]:
        for n in range(100):
            taken.append(n)
            yield b" " * 65_536

    async with await desk.client() as client:
        answer = await client.post("/api/v1/operators", content=body())

    assert answer.status_code == 413


async def test_the_largest_body_is_read(desk: Any) -> None:
    """Up to the limit, spaces and all."""
    body = b'{"code":"123456789","name":"x","time_zone":"UTC"}'.ljust(MAX_BODY_BYTES)

    async with await desk.client() as client:
        answer = await client.post(
            "/api/v1/operators", content=body, headers={"content-type": "application/json"}
        )

    assert answer.status_code == 200
