"""Charts: axes with units, legends, colours of the page, no markup from data."""

from pathlib import Path

import pytest

from csms.console.charts import DARK, LIGHT, Series, options
from tests.console.kit import browsing, needs_browser, running


def test_options() -> None:
    """Each series on its axis; gaps stay gaps; lines differ without colour."""
    series = [
        Series("Power", [("t1", 1.0), ("t2", None)]),
        Series("Energy", [("t1", 2.0)], axis=1),
        Series("n", [("a", 1)], "bar", stack="x"),
    ]
    made = options(series, ("kW", "kWh"), is_dark=False, is_time=True)

    assert [axis["name"] for axis in made["yAxis"]] == ["kW", "kWh"]
    assert made["series"][0]["connectNulls"] is False
    assert made["series"][0]["lineStyle"]["type"] != made["series"][1]["lineStyle"]["type"]
    assert made["series"][2]["stack"] == "x"
    assert made["legend"]["show"]
    assert made["tooltip"]["renderMode"] == "richText"
    assert made["color"] != options(series, ("kW",), is_dark=True, is_time=False)["color"]


def test_a_single_moment_has_minutes_around_it() -> None:
    """Not two days: a session that has just begun is drawn where it will go on."""
    once, twice = (
        [("2026-01-07T10:00:00.000", 1.0)],
        [("2026-01-07T10:00:00.000", 1), ("2026-01-07T10:00:09", 2)],
    )

    across = options([Series("Power", once)], ("kW",), is_dark=False, is_time=True)["xAxis"]
    later = options([Series("Power", twice)], ("kW",), is_dark=False, is_time=True)["xAxis"]

    assert (across["min"], across["max"]) == ("2026-01-07T09:59:00", "2026-01-07T10:01:00")
    assert "min" not in later


@pytest.mark.slow
@needs_browser
@pytest.mark.parametrize("scheme", ["dark", "light"])
async def test_a_first_visit(sqlite_url: str, tmp_path: Path, scheme: str) -> None:
    """Nothing was chosen, no cookie says anything: charts have the colours of the page all the same."""
    async with running(sqlite_url) as kit, browsing(tmp_path / "chromium") as browser:
        media = [{"name": "prefers-color-scheme", "value": scheme}]
        await browser.do("Emulation.setEmulatedMedia", features=media)
        for name, value in dict(kit.client.cookies).items():
            await browser.do("Network.setCookie", name=name, value=value, url=kit.base)
        await browser.do("Page.navigate", url=kit.base + "/")
        look = DARK if scheme == "dark" else LIGHT
        chart = "document.querySelector('.chart')"
        drawn = f"getElement({chart}.id.slice(1)).chart.getOption().color[0]"
        await browser.until(f"!!{chart} && {drawn} === '{look['colours'][0]}'")
        worn = await browser.js("document.documentElement.dataset.theme")

    assert worn == scheme
    assert browser.complaints == []
