"""Records of the settings changed: who may, what is sent, what is said of it."""

from pathlib import Path

import pytest

from tests.api.conftest import MINE
from tests.console.kit import HOSTILE, Browser, Kit, browsing, needs_browser, running

HOOK = {"url": "https://93.184.215.14/hook", "kinds": ["session_ended"], "operator": None}
SCHEDULE = {
    "name": HOSTILE, "operator": MINE, "report": "statement", "format": "xlsx", "time_zone": "Asia/Shanghai",
    "every": "month", "at": "06:00", "target": "webhook", "address": "https://files.example.com/csms",
}  # fmt: skip


async def fill(kit: Kit) -> None:
    """A person, a webhook to which nothing is sent, and a schedule."""
    async with await kit.desk.client() as client:
        person = {"name": "wang", "role": "viewer", "operator": MINE}
        for path, body in (("users", person), ("webhooks", HOOK), ("schedules", SCHEDULE)):
            answer = await client.post(f"/api/v1/{path}", json=body)
            assert answer.status_code == 201, answer.text


async def test_every_form(sqlite_url: str) -> None:
    """Shows what there is, in either language; what people wrote is text; a missing record says so."""
    async with running(sqlite_url) as kit:
        await fill(kit)
        user = await kit.page("/settings?tab=users&edit=wang")
        hook = await kit.page("/settings?tab=webhooks&edit=1", "zh-CN")
        schedule = await kit.page("/settings?tab=schedules&edit=1")
        site = await kit.page(f"/settings?tab=sites&edit=S01&whose={MINE}")
        station = await kit.page("/settings?tab=stations&edit=CS-0001")
        missing = await kit.page("/settings?tab=users&edit=nobody")

    assert "Change wang" in user
    assert 'value="viewer" selected=""' in user
    assert "New one-time password" in user
    assert 'value="session_ended" checked=""' in hook
    assert "重新投递" in hook
    assert "投递记录" in hook
    assert 'value="06:00"' in schedule
    assert "Deliver the latest now" in schedule
    assert "<img src=x" not in schedule
    assert 'value="39.9"' in site
    assert 'data-act="change"' in station
    assert "There is no such record" in missing


async def send(browser: Browser, form: str, said: str, *, confirm: bool = False) -> None:
    """Send a form, say yes where it asks, wait for what is said."""
    await browser.js(f"document.querySelector({form!r}).requestSubmit()")
    if confirm:
        await browser.until("document.querySelector('#confirm').open")
        await browser.js("document.querySelector('#confirm button[value=yes]').click()")
    await browser.until(f"document.body.innerText.includes({said!r})")


@pytest.mark.slow
@needs_browser
async def test_in_a_real_browser(sqlite_url: str, tmp_path: Path) -> None:
    """A person gets another role and password; a webhook is told where to go, wrongly and rightly; paused."""
    async with running(sqlite_url) as kit, browsing(tmp_path / "chromium") as browser:
        await fill(kit)
        await browser.open(kit, "/settings?tab=users&edit=wang")
        form = "form[data-act=change]"
        await browser.js(f"document.querySelector('{form} [name=role]').value = 'operator'")
        await browser.js(f"document.querySelector('{form} [name=enabled]').value = 'false'")
        await send(browser, form, "It is saved.")
        await send(browser, "form[data-deed=password]", "Shown this once", confirm=True)

        await browser.open(kit, "/settings?tab=webhooks&edit=1")
        await browser.js(f"document.querySelector('{form} [name=url]').value = 'ftp://odd'")
        await send(browser, form, "Some values cannot be used")
        beside = await browser.js("document.querySelector('.wrong').closest('.field').innerText")
        await browser.js(f"document.querySelector('{form} [name=url]').value = 'https://93.184.215.14/b'")
        await browser.js(f"document.querySelector('{form} [value=alarm_raised]').checked = true")
        await send(browser, form, "https://93.184.215.14/b")
        await browser.js("document.querySelector('form[data-deed=replay] [name=after]').value = '0'")
        await send(browser, "form[data-deed=replay]", "It is saved.", confirm=True)

        await browser.open(kit, "/settings?tab=schedules&edit=1")
        await browser.js(f"document.querySelector('{form} [name=at]').value = '07:30'")
        await send(browser, form, "It is saved.")
        await send(browser, "form[data-deed=run]", "waiting")
        async with await kit.desk.client() as client:
            wang = next(
                one for one in (await client.get("/api/v1/users")).json()["items"] if one["name"] == "wang"
            )
            hook = (await client.get("/api/v1/webhooks/1")).json()
            schedule = (await client.get("/api/v1/schedules/1")).json()

    assert (wang["role"], wang["enabled"], wang["operator"]) == ("operator", False, MINE)
    assert "URL" in beside
    assert sorted(hook["kinds"]) == ["alarm_raised", "session_ended"]
    assert (schedule["at"], schedule["every"], schedule["name"]) == ("07:30", "month", HOSTILE)
    assert browser.complaints == []
