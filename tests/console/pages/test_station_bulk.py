"""What is done to many stations at once: by a batch, or one by one for whoever sees some sites only."""

import dataclasses
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from csms.api.batch_runner import BatchRunner
from csms.console.pages.station_bulk import bulk_form, tell_many
from csms.console.visit import Visit
from csms.domain.commands import Outcome, Result
from csms.store.registry import StationForm
from tests.api.conftest import MINE, NOW, Desk
from tests.console.kit import browsing, fill, needs_browser, running, visit_of


async def going(desk: Desk, **of: Any) -> tuple[Visit, list[str]]:
    """A window that notes where it is led."""
    visit, ways = await visit_of(desk, **of), []
    visit.go = ways.append  # type: ignore[method-assign]  # no window to lead
    return visit, ways


async def test_the_picked_ones_are_a_batch(desk: Desk) -> None:
    """Named one by one; the window is led to how it goes."""
    visit, ways = await going(desk)

    assert await tell_many(visit, {"what": "reset_soft", "picked": ["CS-0001", "CS-0002"]}) is None

    (batch,) = (await visit.desk.get("/command-batches"))["items"]
    assert ways == [f"/batches/{batch['batch_id']}"]
    assert batch["command"] == {"command": "Reset", "kind": "soft", "evse": None}
    assert batch["selection"] == {"stations": 2}


async def test_all_of_the_filter(desk: Desk) -> None:
    """As a filter where batches know it, else every station of the list by name."""
    visit, _ = await going(desk, query="site=S01&sort=state")
    await tell_many(visit, {"what": "refresh", "all": "yes", "picked": "CS-0002"})
    visit, _ = await going(desk, query="retired=false")
    await tell_many(visit, {"what": "refresh", "all": "yes"})

    by_name, by_filter = (await visit.desk.get("/command-batches"))["items"]
    assert by_filter["selection"] == {"filter": {"site": "S01"}}
    assert by_name["selection"] == {"stations": 3}


async def test_a_command_that_asks_for_more(desk: Desk) -> None:
    """Its form is shown once it is chosen, and its values are sent."""
    visit, _ = await going(desk, query="bulk=GetBaseReport")
    form = await bulk_form(visit)
    await tell_many(visit, {"what": "form", "picked": "CS-0001", "base": "FullInventory"})

    assert 'name="base"' in form
    assert "all 3 that the filters leave" in form
    (batch,) = (await visit.desk.get("/command-batches"))["items"]
    assert batch["command"]["command"] == "GetBaseReport"
    assert "StopSession" not in form


async def test_nothing_picked(desk: Desk) -> None:
    """Is no batch, nor is a command that nobody knows."""
    visit, ways = await going(desk)

    assert "No station is picked." in str(await tell_many(visit, {"what": "operative"}))
    assert "No station is picked." in str(await tell_many(visit, {"what": "odd", "picked": "CS-0001"}))
    assert ways == []


async def test_whoever_sees_some_sites(desk: Desk) -> None:
    """Tells each by itself; one out of sight does not stop the others, and nobody is offered all."""
    visit, _ = await going(desk)
    visit.person = visit.person._replace(operator=MINE, sites=("S01",))
    desk.courier.outcome = Outcome(Result.NOT_CONNECTED, {})

    said = str(await tell_many(visit, {"what": "reset_soft", "picked": ["CS-0001", "CS-NONE"]}))

    assert "2 of 2 told" in said
    assert "not connected" in said
    assert "CS-NONE" in said
    assert 'name="all"' not in await bulk_form(visit)
    assert [identity for identity, _ in desk.courier.sent] == ["CS-0001"]


@pytest.mark.slow
@needs_browser
async def test_in_a_real_browser(sqlite_url: str, tmp_path: Path) -> None:
    """Ticked, asked, sent; the page of the batch tells each station's answer without being loaded again."""
    async with running(sqlite_url) as kit, browsing(tmp_path / "chromium") as browser:
        await fill(kit.desk)
        await kit.desk.parts.registry.put_station(StationForm("CS-0003", "S01"), NOW)
        kit.desk.courier.outcome = Outcome(Result.REJECTED, {"status": "<img src=x>"})
        await browser.open(kit, "/stations?site=S01")
        await browser.js("document.querySelector('[data-all]').click()")
        await browser.js("document.querySelector('select[name=what]').value = 'inoperative'")
        await browser.js("document.querySelector('[data-act=bulk]').click()")
        await browser.until("document.querySelector('#confirm').open")
        asked = await browser.js("document.querySelector('#confirm-text').textContent")
        await browser.js("document.querySelector('#confirm button[value=yes]').click()")
        await browser.until("location.pathname.startsWith('/batches/')")
        await browser.until("document.body.innerText.includes('0 of 2 told')")

        runner = BatchRunner(kit.desk.parts.batches, kit.desk.courier, lambda: kit.desk.clock[0], 5)
        await runner.turn()
        await runner.idle()
        kit.desk.clock[0] += timedelta(seconds=2)
        await runner.turn()  # there is none left: it is finished
        kit.desk.courier.outcome = dataclasses.replace(kit.desk.courier.outcome, result=Result.ACCEPTED)
        await browser.until("document.body.innerText.includes('2 of 2 told')")
        await browser.until("document.body.innerText.includes('CS-0003')")
        shown = await browser.js("document.body.innerText")
        images = await browser.js("document.querySelectorAll('img[src=x]').length")

        await browser.until("!!document.querySelector('[data-act=retry]')")
        await browser.js("document.querySelector('[data-act=retry]').click()")
        await browser.until("document.querySelector('#confirm').open")
        await browser.js("document.querySelector('#confirm button[value=yes]').click()")
        await browser.until("document.body.innerText.includes('It is sent again.')")
        kit.desk.clock[0] += timedelta(seconds=2)
        await runner.turn()
        await runner.idle()
        await browser.until("document.body.innerText.match(/accepted\\s+2/)")

    assert asked == "“Take out of service”: do this to the 2 stations picked?"
    assert "rejected" in shown
    assert images == 0
    assert browser.complaints == []
