"""Every page against WCAG 2.1, levels A and AA, as axe-core judges it; in both themes and both languages."""

import json
from collections.abc import AsyncIterator
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("nicegui")

from csms.console.pages import PAGES
from csms.console.pages.settings import RESOURCES
from tests.api.test_tariffs import FROM, MINE, TARIFF
from tests.clients.node import NODE, require_node
from tests.console.kit import Browser, Kit, browsing, fill, needs_browser, running

LEVELS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]
RUN = f"""axe.run({{runOnly: {{type: "tag", values: {json.dumps(LEVELS)}}}}}).then((result) =>
    result.violations.flatMap((rule) => rule.nodes.map((node) =>
        [rule.id, node.target.join(" "), node.failureSummary, node.html.slice(0, 200)].join(": "))))"""
PARTS = (
    "/stations?state=faulted",
    "/stations/CS-0001?tab=configuration",
    "/stations/CS-0001?tab=commands&command=StartSession",
    "/stations/CS-0001?tab=messages",
    "/stations/CS-0404",
    "/queues?queue=alarms",
    "/tokens?decide=0123",
    "/tariffs/T1",
    "/city/beijing?tab=outbox",
    "/city/beijing?tab=disputes",
    "/city/beijing?tab=checks",
    "/reports?tab=yearbook",
    "/reports?tab=uptime",
    "/quarantine?identity=CS-0099",
    *(f"/settings?tab={name}" for name in RESOURCES),
)
DOCUMENTS = (
    "/sign-in",
    "/password",
    "/api/v1/sessions/{session_id}/receipt?format=html",
    f"/api/v1/reports/statement?operator={MINE}&month=2026-01&format=html",
)


@pytest.fixture
async def kit(sqlite_url: str) -> AsyncIterator[Kit]:
    """A console with something on every page."""
    async with running(sqlite_url) as kit:
        kit.number = await fill(kit.desk)  # type: ignore[attr-defined]  # of these tests alone
        registry, now = kit.desk.parts.registry, kit.desk.clock[0]
        await registry.put_in_quarantine("CS-0099", "192.0.2.1", "unknown-station", now, {"user-agent": "x"})
        async with await kit.desk.client() as client:
            await client.post("/api/v1/tariffs", json=TARIFF)
            await client.post("/api/v1/tariffs/T1/assignments", json={"valid_from": FROM})
            body = {"command": {"command": "ClearCache"}, "stations": ["CS-0001"]}
            batch = (await client.post("/api/v1/command-batches", json=body)).json()["batch_id"]
        kit.given = {  # type: ignore[attr-defined]  # as above
            "identity": "CS-0001",
            "session_id": str(kit.number),  # type: ignore[attr-defined]  # as above
            "tariff": "T1",
            "name": "beijing",
            "batch_id": batch,
        }
        yield kit


def every_path(kit: Kit) -> list[str]:
    """Addresses of every page, and of parts of pages that are asked for one at a time."""
    return [*(page.path.format(**kit.given) for page in PAGES), *PARTS]  # type: ignore[attr-defined]  # as above


async def complaints(browser: Browser, where: str) -> list[str]:
    """What axe-core finds wrong with what is shown: the page, the rule, the element, how to mend it."""
    if not await browser.js("'axe' in window"):
        await browser.js(
            (NODE / "node_modules" / "axe-core" / "axe.min.js").read_text(encoding="utf-8") + ";0"
        )
    found: list[Any] = await browser.js(RUN)
    return [f"{where}: {one}" for one in found]


@pytest.mark.slow
@needs_browser
@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_pages(kit: Kit, theme: str, tmp_path: Path) -> None:
    """Nothing is wrong with any page, its search or its question."""
    require_node()
    found: list[str] = []
    async with browsing(tmp_path / "chromium") as browser:
        for path, language in zip(every_path(kit), cycle(("en", "zh-CN")), strict=False):
            await browser.open(kit, path, language, theme)
            found += await complaints(browser, path)
        for what, show in (
            ("search", "document.querySelector('[data-search]').click()"),
            ("question", "document.querySelector('#confirm').showModal()"),
        ):
            await browser.open(kit, "/quarantine", "en", theme)
            await browser.js(show)
            found += await complaints(browser, what)

    assert not found, "\n\n".join(found)


@pytest.mark.slow
@needs_browser
@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_documents(kit: Kit, theme: str, tmp_path: Path) -> None:
    """Nor with the door and what is printed."""
    require_node()
    found: list[str] = []
    async with browsing(tmp_path / "chromium") as browser:
        await browser.open(kit, "/", "zh-CN", theme)
        scheme = {"name": "prefers-color-scheme", "value": theme}
        await browser.do("Emulation.setEmulatedMedia", features=[scheme])
        for path in DOCUMENTS:
            address = path.format(session_id=kit.number)  # type: ignore[attr-defined]  # as above
            await browser.do("Page.navigate", url=kit.base + address)
            await browser.until("document.readyState === 'complete' && !!document.querySelector('h1')")
            found += await complaints(browser, address)

    assert not found, "\n\n".join(found)


@pytest.mark.slow
@needs_browser
async def test_a_phones_pages(kit: Kit, tmp_path: Path) -> None:
    """The same on a small screen, whose navigation is behind a button."""
    require_node()
    found: list[str] = []
    async with browsing(tmp_path / "chromium") as browser:
        await browser.screen(390, 844)
        for path in ("/", "/stations", "/stations/CS-0001", "/sessions", "/city"):
            await browser.open(kit, path)
            found += await complaints(browser, path)
        await browser.js("document.querySelector('[data-drawer]').click()")
        found += await complaints(browser, "navigation")

    assert not found, "\n\n".join(found)
