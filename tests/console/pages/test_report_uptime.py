"""Availability: definitions and shares."""

from csms.console.pages.report_uptime import _columns, _meanings, _of
from tests.api.conftest import Desk
from tests.console.kit import visit_of


def test_definitions() -> None:
    """However deep they are."""
    made = _meanings({"cn": {"own": {"rate": "<b>"}}, "uk": "text"})

    assert len(made) == 2
    assert "cn · own · rate" in made[0]
    assert "&lt;b&gt;" in made[0]


def test_shares() -> None:
    """In per cent; a regime that says nothing is a dash."""
    port = {"nevi": {"month": {"uptime": 99.5}}, "uk": None}

    assert _of(port, "nevi", "month", "uptime") == "99.50 %"
    assert _of(port, "uk", "month", "reliability") == "–"


async def test_one_regime(desk: Desk) -> None:
    """Shows its own figures and no other's."""
    visit = await visit_of(desk, query="regime=nevi")
    heads = [str(column.head) for column in _columns(visit)]

    assert visit.words["nevi_year"] in heads
    assert visit.words["uk_month"] not in heads
    assert len(_columns(await visit_of(desk))) == len(heads) + 3
