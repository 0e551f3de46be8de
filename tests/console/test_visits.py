"""Signing in to the page: a cookie that tells nothing, a key checked again, attempts counted."""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import httpx
import pytest
from fastapi import FastAPI

from csms.console.visits import CHECKED_EVERY, COOKIE, LASTS, Visits, install, same_origin

START = datetime(2026, 1, 1, 12, tzinfo=UTC)


class Holder(NamedTuple):
    """Who a key belongs to."""

    operator: str | None


class Door:
    """Visits with a clock and two keys."""

    def __init__(self) -> None:
        self.keys = {"good": Holder(None), "limited": Holder("123456789")}
        self.now = START
        self.visits = Visits(self.sign_in, lambda: self.now)
        app = FastAPI()
        install(app, self.visits)
        self.client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://csms.test")

    async def sign_in(self, key: str) -> Holder | None:
        return self.keys.get(key)


@pytest.fixture
def door() -> Door:
    """A door with nobody inside."""
    return Door()


async def test_a_good_key_opens(door: Door) -> None:
    """The cookie is for this site alone, no script reads it, and it does not hold the key."""
    answer = await door.client.post("/sign-in", data={"key": "limited"})

    cookie = answer.headers["set-cookie"]
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert "limited" not in cookie
    assert await door.visits.find(answer.cookies[COOKIE]) == (True, "123456789")


async def test_every_sign_in_gets_another_cookie(door: Door) -> None:
    """A cookie that somebody planted before is of no use."""
    first = (await door.client.post("/sign-in", data={"key": "good"})).cookies[COOKIE]
    second = (await door.client.post("/sign-in", data={"key": "good"})).cookies[COOKIE]

    assert first != second
    assert await door.visits.find("planted") == (False, None)


async def test_a_bad_key_does_not(door: Door) -> None:
    """401, no cookie, and the form again."""
    answer = await door.client.post("/sign-in", data={"key": "<script>"})

    assert answer.status_code == 401
    assert "set-cookie" not in answer.headers
    assert "not registered" in answer.text
    assert "<script" not in answer.text


async def test_attempts_are_counted(door: Door) -> None:
    """Ten in a minute from one address, good or bad; after the minute it goes on."""
    statuses = [(await door.client.post("/sign-in", data={"key": "bad"})).status_code for _ in range(11)]
    good_too_soon = (await door.client.post("/sign-in", data={"key": "good"})).status_code
    door.now += timedelta(seconds=61)
    good = (await door.client.post("/sign-in", data={"key": "good"})).status_code

    assert statuses == [401] * 10 + [429]
    assert (good_too_soon, good) == (429, 303)


async def test_not_from_elsewhere(door: Door) -> None:
    """Another site cannot sign its visitor in."""
    answer = await door.client.post("/sign-in", data={"key": "good"}, headers={"Origin": "http://evil.test"})

    assert answer.status_code == 403


async def test_signing_out(door: Door) -> None:
    """The cookie opens nothing any more."""
    cookie = (await door.client.post("/sign-in", data={"key": "good"})).cookies[COOKIE]

    await door.client.post("/sign-out", headers={"Cookie": f"{COOKIE}={cookie}"})

    assert await door.visits.find(cookie) == (False, None)


async def test_a_visit_ends_by_itself(door: Door) -> None:
    """After half a day, or soon after its key was revoked."""
    first = await door.visits.begin("good")
    second = await door.visits.begin("limited")
    del door.keys["limited"]

    door.now += CHECKED_EVERY - timedelta(seconds=1)
    assert await door.visits.find(second) == (True, "123456789")
    door.now += timedelta(seconds=1)
    assert await door.visits.find(second) == (False, None)
    assert await door.visits.find(first) == (True, None)
    door.now = START + LASTS
    assert await door.visits.find(first) == (False, None)


async def test_visits_are_bounded(door: Door) -> None:
    """The oldest makes room."""
    first = await door.visits.begin("good")
    for _ in range(1_000):
        await door.visits.begin("good")

    assert await door.visits.find(first) == (False, None)


@pytest.mark.parametrize(
    ("origin", "host", "is_same"),
    [
        (None, "csms.test", True),
        ("http://csms.test", "csms.test", True),
        ("https://csms.test:8443", "csms.test:8443", True),
        ("http://csms.test.evil", "csms.test", False),
        ("null", "csms.test", False),
        ("", None, True),
    ],
)
def test_same_origin(origin: str | None, host: str | None, is_same: bool) -> None:
    """Compared with the host the request was sent to."""
    assert same_origin(origin, host) is is_same


async def test_the_form_speaks_the_visitors_language(door: Door) -> None:
    """By the browser's first language."""
    answer = await door.client.get("/sign-in", headers={"Accept-Language": "zh-CN"})

    assert "API 密钥" in answer.text
    assert '<html lang="zh-CN">' in answer.text
