"""The door of the pages: a cookie that tells nothing, a first password, forms that are ours."""

from typing import NamedTuple

import httpx
import pytest
from fastapi import FastAPI

from csms.console.visits import COOKIE, MOST_BYTES, Visits, install, same_origin


class Guest(NamedTuple):
    """Who is signed in."""

    name: str
    operator: str | None
    must_change: bool


class OneDoor:
    """Lets one person in, who may have to change the password first."""

    def __init__(self, *, must_change: bool = False) -> None:
        self.inside: dict[str, Guest] = {}
        self.must_change = must_change
        self.told: list[tuple[str, str, str, str]] = []

    async def enter(self, name: str, password: str, code: str, address: str) -> tuple[str | None, str]:
        self.told.append((name, password, code, address))
        if password == "often":
            return None, "too_many"
        if password != "good":
            return None, "wrong"
        cookie = f"cookie-{len(self.told)}"
        self.inside[cookie] = Guest("li", "123456789", self.must_change)
        return cookie, ""

    async def visitor(self, cookie: str | None) -> Guest | None:
        return self.inside.get(cookie or "")

    async def leave(self, cookie: str | None) -> None:
        self.inside.pop(cookie or "", None)

    async def change_password(self, cookie: str | None, old: str, new: str, address: str) -> str:
        if new == "weak":
            return "weak"
        self.inside[cookie or ""] = Guest("li", "123456789", False)
        return ""


def client_of(door: OneDoor) -> httpx.AsyncClient:
    """A browser before this door."""
    app = FastAPI()
    install(app, Visits(door))
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://csms.test")


async def test_a_person_enters() -> None:
    """The cookie is for this site alone, and no script reads it."""
    door = OneDoor()
    async with client_of(door) as client:
        answer = await client.post("/sign-in", data={"name": "li", "password": "good", "code": "123456"})

        cookie = answer.headers["set-cookie"]
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
        assert "HttpOnly" in cookie
        assert "SameSite=lax" in cookie
        assert door.told == [("li", "good", "123456", "127.0.0.1")]
        assert await Visits(door).find(answer.cookies[COOKIE]) == (True, "123456789")
        assert await Visits(door).find("planted") == (False, None)


@pytest.mark.parametrize(
    ("password", "status", "said"), [("bad", 401, "wrong"), ("often", 429, "Too many"), ("", 401, "wrong")]
)
async def test_nobody_else_does(password: str, status: int, said: str) -> None:
    """No cookie, and the form again with what happened; nothing of it is repeated as markup."""
    async with client_of(OneDoor()) as client:
        answer = await client.post("/sign-in", data={"name": "<script>", "password": password})

    assert answer.status_code == status
    assert "set-cookie" not in answer.headers
    assert said in answer.text
    assert "<script" not in answer.text


@pytest.mark.parametrize(
    "body", ["name=" + "x" * MOST_BYTES + "&password=good", "name=li&password=good" + "&more=" * 9]
)
async def test_what_is_no_form_of_ours(body: str) -> None:
    """Too long or with too many fields: wrong, and nothing of it is handed on."""
    door = OneDoor()
    async with client_of(door) as client:
        answer = await client.post("/sign-in", content=body)

    assert answer.status_code == 401
    assert door.told == [("", "", "", "127.0.0.1")]


async def test_a_first_password_comes_before_the_pages() -> None:
    """Whoever has a one-time password is shown the way to one of their own."""
    door = OneDoor(must_change=True)
    visits = Visits(door)
    async with client_of(door) as client:
        await client.post("/sign-in", data={"name": "li", "password": "good"})
        cookie = client.cookies[COOKIE]
        form = await client.get("/password")
        before = await visits.find(cookie), await visits.threshold(cookie), await visits.threshold(None)
        differ = await client.post("/password", data={"old": "good", "new": "a", "again": "b"})
        weak = await client.post("/password", data={"old": "good", "new": "weak", "again": "weak"})
        done = await client.post("/password", data={"old": "good", "new": "better", "again": "better"})

    assert before == ((False, None), "/password", "/sign-in")
    assert 'value="li" autocomplete="username" hidden' in form.text
    assert (differ.status_code, "differ" in differ.text) == (422, True)
    assert (weak.status_code, "12 characters" in weak.text) == (422, True)
    assert (done.status_code, done.headers["location"]) == (303, "/")
    assert await visits.find(cookie) == (True, "123456789")


async def test_the_password_form_is_for_people_inside() -> None:
    """Others are sent to the door."""
    async with client_of(OneDoor()) as client:
        answer = await client.get("/password")

    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")


async def test_signing_out() -> None:
    """The visit ends and the cookie goes; a form from elsewhere signs nobody out."""
    door = OneDoor()
    async with client_of(door) as client:
        await client.post("/sign-in", data={"name": "li", "password": "good"})
        cookie = client.cookies[COOKIE]
        await client.post("/sign-out", headers={"Origin": "http://evil.test"})
        still = await Visits(door).find(cookie)
        client.cookies.set(COOKIE, cookie)
        answer = await client.post("/sign-out", headers={"Origin": "http://csms.test"})

    assert still[0]
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
    assert await Visits(door).find(cookie) == (False, None)


@pytest.mark.parametrize("path", ["/sign-in", "/password"])
async def test_forms_from_elsewhere(path: str) -> None:
    """They are not taken, whatever they hold."""
    door = OneDoor()
    async with client_of(door) as client:
        told = {"name": "li", "password": "good", "old": "a", "new": "b", "again": "b"}
        answer = await client.post(path, data=told, headers={"Origin": "http://evil.test"})

    assert answer.status_code == 403
    assert door.inside == {}


async def test_both_languages() -> None:
    """As the browser likes it; a cookie decides where it was chosen."""
    async with client_of(OneDoor()) as client:
        chinese = await client.get("/sign-in", headers={"Accept-Language": "zh-CN"})
        english = await client.get("/sign-in", headers={"Accept-Language": "en"})

    assert "登录" in chinese.text
    assert "Sign in" in english.text


def test_same_origin() -> None:
    """Programs send no Origin; pages send theirs."""
    assert same_origin(None, "csms.test")
    assert same_origin("https://csms.test", "csms.test")
    assert not same_origin("https://evil.test", "csms.test")
    assert not same_origin("null", "csms.test")
