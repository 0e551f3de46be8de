"""Signing in over real HTTP: cookie, CSRF token, one-time codes, throttling, and how a visit ends."""

import asyncio
from collections import Counter
from datetime import timedelta
from typing import Any

import httpx
import pytest

from csms.api import passwords
from csms.api.entry import COOKIE
from csms.api.passwords import hash_of
from csms.api.throttle import FREE
from csms.domain.one_time_codes import STEP_S, code_at, new_secret
from csms.domain.scope import WHOLE, Scope
from csms.store.account_tables import visits
from csms.store.tables import audit_log
from csms.store.users import UserForm

PASSWORD = "correct horse battery"
MINE = "123456789"


async def person(desk: Any, name: str = "li", role: str = "admin", scope: Scope = WHOLE) -> None:
    """Somebody with a password of their own."""
    await desk.parts.users.add(UserForm(name, role, scope), await hash_of(PASSWORD), False, desk.clock[0])


async def sign_in(client: httpx.AsyncClient, name: str = "li", **over: str) -> httpx.Response:
    """Ask to be let in."""
    return await client.post("/api/v1/sign-in", json={"name": name, "password": PASSWORD, **over})


async def inside(desk: Any, client: httpx.AsyncClient, name: str = "li") -> None:
    """Sign in, and send the CSRF token from then on."""
    answer = await sign_in(client, name)
    assert answer.status_code == 200
    client.headers["X-CSRF-Token"] = answer.json()["csrf"]


async def test_a_person_works_with_a_cookie(desk_on_each: Any) -> None:
    """The same rights as a key of the role; the database has only the cookie's hash."""
    desk = desk_on_each
    await person(desk, scope=Scope(MINE))
    async with desk.anonymous() as client:
        await inside(desk, client, "LI")
        me = (await client.get("/api/v1/me")).json()
        stations = await client.get("/api/v1/charging-stations")
        made = await client.post("/api/v1/sites", json={"code": "S77", "operator": MINE, "name": "New"})
        cookie = client.cookies[COOKIE]

    assert (me["name"], me["role"], me["operator"], me["is_person"]) == ("li", "admin", MINE, True)
    assert [one["identity"] for one in stations.json()["items"]] == ["CS-0001"]
    assert made.status_code == 201
    (visit,) = await desk.rows(visits)
    assert cookie.encode() not in visit["token_hash"]
    actors = {row["action"]: (row["actor"], row["address"]) for row in await desk.rows(audit_log)}
    assert actors["sign-in"] == actors["site-put"] == ("user:li", "192.0.2.99")


async def test_a_change_needs_our_own_page(desk: Any) -> None:
    """A cookie alone changes nothing: CSRF token missing, wrong, or asked for from elsewhere."""
    await person(desk)
    body = {"code": "AB3456789", "name": "New", "time_zone": "UTC"}
    async with desk.anonymous() as client:
        csrf = (await sign_in(client)).json()["csrf"]
        headers: list[dict[str, str]] = [
            {},
            {"X-CSRF-Token": "wrong"},
            {"X-CSRF-Token": csrf, "Origin": "http://evil.test"},
            {"X-CSRF-Token": csrf, "Origin": "http://csms.test"},
        ]
        answers = [await client.post("/api/v1/operators", json=body, headers=h) for h in headers]

    assert [answer.status_code for answer in answers] == [403, 403, 403, 201]


async def test_wrong_is_wrong_whatever_it_is(desk: Any) -> None:
    """An unknown name, a wrong password and a disabled person hear the same."""
    await person(desk)
    await person(desk, "wang")
    user = await desk.parts.users.named("wang")
    await desk.parts.users.change(user.user_id, UserForm("wang", "admin", WHOLE, enabled=False))
    async with desk.anonymous() as client:
        answers = [
            await sign_in(client, "nobody"),
            await sign_in(client, password="wrong"),
            await sign_in(client, "wang"),
        ]

    assert [answer.status_code for answer in answers] == [401] * 3
    assert len({answer.text for answer in answers}) == 1
    assert all("set-cookie" not in answer.headers for answer in answers)


async def test_guessing_is_slowed_down(desk: Any) -> None:
    """After some failures even the right password waits; the answer says how long."""
    await person(desk)
    async with desk.anonymous() as client:
        failed = [(await sign_in(client, password="wrong")).status_code for _ in range(FREE)]
        too_soon = await sign_in(client)
        desk.clock[0] += timedelta(seconds=int(too_soon.headers["Retry-After"]))
        good = await sign_in(client)
        metrics = (await client.get("/metrics")).text

    assert failed == [401] * FREE
    assert too_soon.status_code == 429
    assert good.status_code == 200
    assert dict(desk.parts.sign_ins) == {"refused": FREE, "throttled": 1, "accepted": 1}
    for outcome, n in desk.parts.sign_ins.items():
        assert f'csms_sign_ins_total{{outcome="{outcome}"}} {n}.0' in metrics


async def test_guessing_all_at_once_is_no_way_around(desk: Any) -> None:
    """Of many guesses at once as many are looked at as of many in a row."""
    await person(desk)
    async with desk.anonymous() as client:
        answers = await asyncio.gather(*(sign_in(client, password=f"wrong {n}") for n in range(30)))

    assert Counter(answer.status_code for answer in answers) == {401: FREE, 429: 30 - FREE}


async def test_who_is_sent_away_unheard_has_not_failed(desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A crowd at the door is a 503 that says when to come again, and counts for nothing."""
    await person(desk)
    async with desk.anonymous() as client:
        with monkeypatch.context() as crowd:
            crowd.setattr(passwords, "MOST_WAITING", -passwords.AT_ONCE)
            busy = [await sign_in(client) for _ in range(FREE + 1)]
        good = await sign_in(client)

    assert {(answer.status_code, answer.headers["Retry-After"]) for answer in busy} == {(503, "5")}
    assert good.status_code == 200


async def test_every_sign_in_has_another_cookie(desk: Any) -> None:
    """A planted one is of no use, and the old one stays its own visit."""
    await person(desk)
    async with desk.anonymous() as client:
        client.cookies.set(COOKIE, "planted")
        first = (await sign_in(client)).cookies[COOKIE]
        second = (await sign_in(client)).cookies[COOKIE]

    assert len({"planted", first, second}) == 3


@pytest.mark.parametrize(
    ("minutes", "every", "is_inside"), [(29, 29, True), (31, 31, False), (700, 20, True), (740, 20, False)]
)
async def test_how_long_a_visit_lasts(desk: Any, minutes: int, every: int, is_inside: bool) -> None:
    """Half an hour without a request, half a day in any case."""
    await person(desk)
    async with desk.anonymous() as client:
        await inside(desk, client)
        passed = 0
        while passed < minutes:
            step = min(every, minutes - passed)
            desk.clock[0] += timedelta(minutes=step)
            passed += step
            answer = await client.get("/api/v1/me")

    assert (answer.status_code == 200) is is_inside


async def test_leaving(desk: Any) -> None:
    """Sign-out ends this visit; everywhere ends all; disabling does too."""
    await person(desk)
    async with desk.anonymous() as one, desk.anonymous() as other:
        await inside(desk, one)
        await inside(desk, other)
        cookie = one.cookies[COOKIE]
        left = await one.post("/api/v1/sign-out")
        after = await one.get("/api/v1/me", headers={"Cookie": f"{COOKIE}={cookie}"})
        still = await other.get("/api/v1/me")
        all_left = await other.post("/api/v1/me/sign-out-everywhere")
        rows = await desk.rows(visits)

    assert [a.status_code for a in (left, after, still, all_left)] == [204, 401, 200, 204]
    assert rows == []


async def test_one_time_codes(desk_on_each: Any) -> None:
    """Turned on with a code of the app; from then on asked for, each good once; a lost app is no end."""
    desk = desk_on_each
    await person(desk)
    async with desk.anonymous() as client:
        await inside(desk, client)
        secret = (await client.post("/api/v1/me/one-time-codes/offer")).json()["secret"]
        code = code_at(secret, int(desk.clock[0].timestamp()) // STEP_S)
        body = {"password": PASSWORD, "secret": secret}
        wrong = await client.put("/api/v1/me/one-time-codes", json=body | {"code": "000000"})
        kept = await client.put("/api/v1/me/one-time-codes", json=body | {"code": code})
        recovery = kept.json()["recovery"]
        desk.clock[0] += timedelta(minutes=5)
        now = code_at(secret, int(desk.clock[0].timestamp()) // STEP_S)
        statuses = [
            (await sign_in(client)).status_code,
            (await sign_in(client, code=code)).status_code,
            (await sign_in(client, code=now)).status_code,
            (await sign_in(client, code=now)).status_code,
            (await sign_in(client, code=recovery[0])).status_code,
            (await sign_in(client, code=recovery[0])).status_code,
        ]

    assert wrong.status_code == 422
    assert len(recovery) == 10
    assert statuses == [401, 401, 200, 401, 200, 401]
    assert new_secret() not in str(await desk.rows(audit_log))
    assert secret not in str(await desk.rows(audit_log))


async def test_a_password_of_ones_own(desk: Any) -> None:
    """Needs the old one and is a good one; other browsers are signed out; a first one comes before all."""
    await desk.parts.users.add(UserForm("li", "viewer", WHOLE), await hash_of(PASSWORD), True, desk.clock[0])
    new = "staple correct horse"
    async with desk.anonymous() as client, desk.anonymous() as other:
        await inside(desk, client)
        await inside(desk, other)
        before = await client.get("/api/v1/sites")
        wrong = await client.post("/api/v1/me/password", json={"old": "wrong", "new": new})
        weak = await client.post("/api/v1/me/password", json={"old": PASSWORD, "new": "short"})
        same = await client.post("/api/v1/me/password", json={"old": PASSWORD, "new": PASSWORD})
        done = await client.post("/api/v1/me/password", json={"old": PASSWORD, "new": new})
        after = await client.get("/api/v1/sites")
        others = await other.get("/api/v1/me")

    assert before.status_code == 403
    assert "Change the password first" in before.json()["detail"]
    assert [a.status_code for a in (wrong, weak, same, done, after, others)] == [403, 422, 422, 204, 200, 401]


async def test_preferences_and_keys_have_none(desk: Any) -> None:
    """A person's language is theirs; a key has no such thing."""
    await person(desk)
    async with desk.anonymous() as client, await desk.client("viewer") as key:
        await inside(desk, client)
        wanted = {"language": "zh-CN", "time_zone": "Asia/Shanghai"}
        done = await client.put("/api/v1/me/preferences", json=wanted)
        me = (await client.get("/api/v1/me")).json()
        of_key = await key.put("/api/v1/me/preferences", json=wanted)
        key_is = (await key.get("/api/v1/me")).json()

    assert (done.status_code, me["language"], me["time_zone"]) == (204, "zh-CN", "Asia/Shanghai")
    assert of_key.status_code == 403
    assert (key_is["is_person"], key_is["role"], key_is["csrf"]) == (False, "viewer", None)
