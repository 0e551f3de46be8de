"""City platforms among the settings."""

from pathlib import Path

import pytest

from csms.console.pages.settings_platforms import _switch
from tests.api.conftest import Desk
from tests.console.kit import HOSTILE, browsing, needs_browser, running, visit_of


async def test_what_can_be_done(desk: Desk) -> None:
    """One that is told can be paused, one that rests resumed; a viewer is led to its queue only."""
    visit, viewer = await visit_of(desk), await visit_of(desk, role="viewer")

    assert 'data-act="pause"' in _switch(visit, {"name": "a", "paused": False})
    assert 'data-act="resume"' in _switch(visit, {"name": "a", "paused": True})
    assert "data-act" not in _switch(viewer, {"name": "a", "paused": False})
    assert "/city/a?tab=outbox" in _switch(viewer, {"name": "a", "paused": False})
    assert "<img" not in _switch(visit, {"name": HOSTILE, "paused": False})


@pytest.mark.slow
@needs_browser
async def test_in_a_real_browser(sqlite_url: str, tmp_path: Path) -> None:
    """Paused with a reason, which is shown, and resumed."""
    async with running(sqlite_url) as kit, browsing(tmp_path / "chromium") as browser:
        await browser.open(kit, "/settings?tab=platforms")
        await browser.js("document.querySelector('[name=reason]').value = 'moving <b>house</b>'")
        await browser.js("document.querySelector('form[data-act=pause]').requestSubmit()")
        await browser.until("document.querySelector('#confirm').open")
        await browser.js("document.querySelector('#confirm button[value=yes]').click()")
        await browser.until("document.querySelector('.panel').innerText.includes('moving <b>house</b>')")
        await browser.js("document.querySelector('[data-act=resume]').click()")
        await browser.until("!!document.querySelector('form[data-act=pause]')")

    assert browser.complaints == []
