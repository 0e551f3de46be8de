"""Batches: how far one is, and what may be done about it."""

from csms.console.pages.batches import progress_panel
from tests.api.conftest import Desk
from tests.console.kit import HOSTILE, running, visit_of

BATCH = {"state": "running", "counts": {"waiting": 2, "sent": 1, "accepted": 3, "rejected": 1, "silent": 0}}


async def test_progress(desk: Desk) -> None:
    """What is waiting or sent is not done; each outcome leads to its stations; none leads to nothing."""
    made = progress_panel(await visit_of(desk), BATCH)

    assert "4 of 7 told" in made
    assert 'value="4" max="7"' in made
    assert "?result=rejected" in made
    assert "sent, not answered" in made
    assert "result=silent" not in made


async def test_what_may_be_done(desk: Desk) -> None:
    """One that runs is stopped; one that is over is sent to those that failed again; a viewer looks."""
    visit, over = await visit_of(desk), {**BATCH, "state": "finished"}

    assert 'data-act="cancel"' in progress_panel(visit, BATCH)
    assert 'data-act="cancel"' not in progress_panel(visit, over)
    assert "Send to the 1 that failed again" in progress_panel(visit, over)
    assert "data-act" not in progress_panel(visit, {**over, "counts": {"accepted": 4}})
    assert "data-act" not in progress_panel(await visit_of(desk, role="viewer"), BATCH)


async def test_the_pages(sqlite_url: str) -> None:
    """A list that leads to each; one with its stations; what stations wrote is text; none says what to do."""
    async with running(sqlite_url) as kit:
        assert "No command was given to many stations yet." in await kit.page("/batches")
        async with await kit.desk.client() as client:
            body = {"command": {"command": "SendData", "vendor_id": HOSTILE}, "stations": ["CS-0001"]}
            batch = (await client.post("/api/v1/command-batches", json=body)).json()["batch_id"]
        listed, page = await kit.page("/batches"), await kit.page(f"/batches/{batch}", "zh-CN")
        missing = await kit.page("/batches/999")

    assert f'data-href="/batches/{batch}"' in listed
    assert "CS-0001" in page
    assert "待发送" in page
    assert "<img src=x" not in page
    assert "There is no such record" in missing
