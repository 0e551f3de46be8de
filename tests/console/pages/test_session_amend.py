"""What a person says of a session in the console."""

from pathlib import Path
from typing import Any

import pytest

from csms.domain.scope import Scope
from csms.store.users import UserForm
from tests.api.conftest import FIRST_SESSION
from tests.api.test_amendments import away, orphan
from tests.api.test_amendments import running as begin
from tests.console.kit import HOSTILE, Browser, browsing, needs_browser, running

SESSION, STOP = FIRST_SESSION, FIRST_SESSION + 5


async def fill(desk: Any) -> None:
    """A session that runs, and a stop of its station that named none; the station is away."""
    await away(desk)
    await begin(desk)
    await orphan(desk, stop_reason=HOSTILE)


async def test_what_is_offered(sqlite_url: str) -> None:
    """Closing while it runs, stops that may be its, sessions that a stop may be of; in either language."""
    async with running(sqlite_url) as kit:
        await fill(kit.desk)
        ended = await kit.desk.add_session(9, station="CS-0009")
        session, stop = await kit.page(f"/sessions/{SESSION}"), await kit.page(f"/sessions/{STOP}", "zh-CN")
        other = await kit.page(f"/sessions/{ended}?said=<b>odd</b>")

    assert "Close this session by hand" in session
    assert "Stops of this station without a start" in session
    assert "可能所属的充电" in stop
    assert f'data-to="{SESSION}"' in stop
    assert "忽略此结束记录" in stop
    assert "<img src=x" not in session + stop
    assert "Close this session by hand" not in other
    assert "<b>odd" not in other


async def test_a_viewer_looks(sqlite_url: str) -> None:
    """And is offered nothing of it."""
    async with running(sqlite_url) as kit:
        await fill(kit.desk)
        person = await kit.desk.parts.users.named("li")
        assert person is not None
        await kit.desk.parts.users.change(person.user_id, person_form(person))
        page = await kit.page(f"/sessions/{SESSION}")

    assert "data-act" not in page


def person_form(person: Any) -> Any:
    """The same person, who may only look."""
    return UserForm(person.name, "viewer", Scope(None, None), "", "", True)


async def send(browser: Browser, form: str, said: str) -> None:
    """Send a form with a reason, say yes, wait for what is said."""
    await browser.js(f"document.querySelector('{form} [name=reason]').value = 'swapped'")
    await browser.js(f"document.querySelector('{form}').requestSubmit()")
    await browser.until("document.querySelector('#confirm').open")
    await browser.js("document.querySelector('#confirm button[value=yes]').click()")
    await browser.until(f"document.body.innerText.includes({said!r})")


@pytest.mark.slow
@needs_browser
async def test_closed_by_hand(sqlite_url: str, tmp_path: Path) -> None:
    """A meter that went back is told beside its field; then it is closed, with energy and flags."""
    async with running(sqlite_url) as kit, browsing(tmp_path / "chromium") as browser:
        await fill(kit.desk)
        await browser.open(kit, f"/sessions/{SESSION}")
        field = "document.querySelector('[name=meter_stop_wh]')"
        await browser.js(f"{field}.value = '1'")
        await send(browser, "form[data-act=close]", "Some values cannot be used")
        beside = await browser.js(f"{field}.closest('.field').querySelector('.wrong').textContent")
        await browser.js(f"{field}.value = '23500'")
        await send(browser, "form[data-act=close]", "The session is closed.")
        shown = await browser.js("document.body.innerText")

    assert beside
    assert "22.50" in shown
    assert "closed by hand" in shown
    assert browser.complaints == []


@pytest.mark.slow
@needs_browser
async def test_a_stop_is_attached_and_one_dismissed(sqlite_url: str, tmp_path: Path) -> None:
    """The session it is of is shown, ended by it; another stop belongs to nothing."""
    async with running(sqlite_url) as kit, browsing(tmp_path / "chromium") as browser:
        await fill(kit.desk)
        other = await orphan(kit.desk, 7)
        await browser.open(kit, f"/sessions/{STOP}")
        await send(browser, "form[data-act=attach]", "The stop is that of this session now.")
        where = await browser.js("location.pathname")
        shown = await browser.js("document.body.innerText")
        await browser.open(kit, f"/sessions/{other}")
        await send(browser, "form[data-act=dismiss-stop]", "The stop is dismissed.")
        async with await kit.desk.client() as client:
            left = (await client.get("/api/v1/orphan-stops")).json()["items"]

    assert where == f"/sessions/{SESSION}"
    assert "stop attached by hand" in shown
    assert left == []
    assert browser.complaints == []
