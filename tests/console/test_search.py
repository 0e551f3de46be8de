"""The search: pages, stations, sites, sessions, tokens, as far as the person sees them."""

from csms.console.frame import Entry
from csms.console.person import NOBODY
from csms.console.search import found
from tests.api.conftest import FIRST_SESSION, Desk
from tests.console.kit import HOSTILE, visit_of

ENTRIES = [Entry("/stations", "page_stations", "operation"), Entry("/sessions", "page_sessions", "operation")]


async def test_everything_is_found(desk: Desk) -> None:
    """By what people have at hand."""
    visit = await visit_of(desk)

    async def hits(text: str) -> set[tuple[str, str]]:
        return {(hit.kind, hit.href) for hit in await found(visit, ENTRIES, text)}

    assert ("kind_page", "/stations") in await hits("stat")
    assert ("station", "/stations/CS-0001") in await hits("CS-0001")
    assert ("site", "/stations?site=S01") in await hits("site s01")
    assert ("session", f"/sessions/{FIRST_SESSION}") in await hits(str(FIRST_SESSION))
    assert ("token", "/tokens?text=A1") in await hits("a1")
    assert {kind for kind, _ in await hits(HOSTILE[:12])} == {"site", "token"}
    assert len(await hits("")) == 2
    assert await hits("nothing like it") == set()


async def test_nobody_finds_pages_only(desk: Desk) -> None:
    """Who is not signed in asks the API for nothing."""
    visit = await visit_of(desk)
    visit.person = NOBODY

    assert await found(visit, ENTRIES, "CS-0001") == []
