"""The parts of the page: what they show, that they keep their size, that nothing breaks out."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser

import pytest

from csms.console import blocks
from csms.console.symbols import STATES
from csms.console.texts import TEXTS
from csms.store.status import OrderLine, SessionLine, SiteCells, StationCell, Status

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
EN = TEXTS["en"]
HOSTILE = "<script>alert(1)</script>"
EMPTY = Status(
    at=NOW,
    since=NOW - timedelta(hours=20),
    zone="Asia/Shanghai",
    stations=0,
    online={},
    live_sessions=0,
    metered_sessions=0,
    power_w=0,
    energy_today_wh=0,
    orders_sent=0,
    orders_waiting=0,
    orders_dead=0,
    city_contact=None,
    has_platform=False,
    sites=(),
    live=(),
    ended=(),
    orders=(),
)
LINE = SessionLine(1, HOSTILE, 1, 2, HOSTILE, NOW - timedelta(hours=1), NOW, 22_505, 7_400, (HOSTILE,))
CELLS = tuple(StationCell(f"CS-{n}", state) for n, state in enumerate(STATES))
FULL = Status(
    at=NOW,
    since=NOW - timedelta(hours=20),
    zone="Asia/Shanghai",
    stations=1200,
    online={"ocpp1.6": 1000, "ocpp2.0.1": 100},
    live_sessions=300,
    metered_sessions=290,
    power_w=12_345_678,
    energy_today_wh=9_876_543,
    orders_sent=1234,
    orders_waiting=5,
    orders_dead=1,
    city_contact=NOW - timedelta(seconds=3),
    has_platform=True,
    sites=(SiteCells("S01", HOSTILE, 1200, 1100, CELLS),),
    live=(LINE,) * 12,
    ended=(LINE,) * 3,
    orders=(OrderLine(HOSTILE, "beijing", "sent", 1, NOW),),
)
PARTS = [blocks.numbers, blocks.grid, blocks.live_table, blocks.ended_table, blocks.orders_table]


class Reader(HTMLParser):
    """What a browser would see: tags in balance, text, classes."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.classes: list[str] = []
        self.text = ""
        self.feed(markup)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open.append(tag)
        self.tags.append(tag)
        self.classes += [value or "" for name, value in attrs if name == "class"]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data + " "


@pytest.mark.parametrize("status", [EMPTY, FULL], ids=["empty", "full"])
@pytest.mark.parametrize("language", ["en", "zh-CN"])
@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.__name__)
def test_every_part_in_every_language(part: object, language: str, status: Status) -> None:
    """Well-formed, and text from stations is text."""
    seen = Reader(part(status, TEXTS[language]))  # type: ignore[operator]  # one of PARTS

    assert seen.open == []
    assert "script" not in seen.tags
    assert seen.text.strip()


def test_the_figures() -> None:
    """Numbers with their units, versions, what waits, when the city was last reached."""
    text = " ".join(Reader(blocks.numbers(FULL, EN)).text.split())

    for expected in (
        "1,100",
        "of 1,200 registered",
        "OCPP 1.6 1,000",
        "2.0.1 100",
        "12,345.7 kW",
        "9,876.54 kWh",
        "since 01-01 00:00",
        "1,234 sent today",
        "5 waiting",
        "1 set aside",
        "City last contact: 3 s ago",
    ):
        assert expected in text


def test_a_state_has_a_shape_of_its_own() -> None:
    """Each state is a class of its own, named for those who do not see it; hidden stations are counted."""
    markup = blocks.grid(FULL, EN)
    seen = Reader(markup)

    assert {f"sym {state}" for state in STATES} <= set(seen.classes)
    assert 'href="/stations/CS-0"' in markup
    assert 'aria-label="CS-0 · faulted"' in markup
    assert "+1,193 more" in seen.text
    assert "1,100 / 1,200" in seen.text


def test_many_sites_do_not_make_a_long_page() -> None:
    """The first are drawn, the others counted."""
    sites = tuple(SiteCells(f"S{n}", "", 1, 1, CELLS[:1]) for n in range(500))
    seen = Reader(blocks.grid(replace(FULL, sites=sites), EN))

    assert seen.classes.count("site") == blocks.MOST_SITES
    assert "and 380 more sites" in seen.text


@pytest.mark.parametrize("part", [blocks.live_table, blocks.ended_table, blocks.orders_table])
def test_tables_keep_their_height(part: object) -> None:
    """As many rows with nothing to show as with everything."""
    rows = [Reader(part(status, EN)).tags.count("tr") for status in (EMPTY, FULL)]  # type: ignore[operator]  # as above

    assert rows == [blocks.ROWS + 1] * 2


def test_times_are_local() -> None:
    """In the operator's time zone."""
    assert "19:00:00" in blocks.live_table(FULL, EN)
    assert "1:00:00" in blocks.live_table(FULL, EN)
    assert "22.50" in blocks.live_table(FULL, EN) or "22.51" in blocks.live_table(FULL, EN)
