"""Map: sites where they are, near ones as one, on any scale."""

import asyncio
from pathlib import Path

import pytest

from csms.config_http import ConsoleSettings
from csms.console.pages.site_map import HEIGHT, WIDTH, picture, plane_of, spots_of, view_of
from csms.console.texts import TEXTS
from csms.console.tiles import Tiles
from csms.parts import tiles_of
from csms.store.status import SiteCells, StationCell
from tests.api.conftest import Desk
from tests.console.kit import HOSTILE, browsing, needs_browser, running, visit_of


def site(code: str, latitude: float | None, longitude: float | None) -> dict[str, object]:
    """A site of the API."""
    return {"code": code, "name": HOSTILE, "latitude": latitude, "longitude": longitude}


@pytest.mark.parametrize(
    "places",
    [
        [(39.9, 116.4)],
        [(39.9, 116.4), (39.9, 116.4)],
        [(0.0, 0.0), (0.0, 179.0)],
        [(-33.0, 151.0), (60.0, 10.0)],
    ],
)
def test_all_are_in_the_picture(places: list[tuple[float, float]]) -> None:
    """One site, several at a place, a continent."""
    sites = [site(str(n), *place) for n, place in enumerate(places)]
    spots = spots_of(sites, {}, plane_of(sites))

    assert sum(len(spot.codes) for spot in spots) == len(sites)
    assert all(0 <= spot.x <= WIDTH and 0 <= spot.y <= HEIGHT for spot in spots)


def test_north_is_up_and_near_ones_are_one() -> None:
    """With their states added; the worst is shown."""
    sites = [site("S", 39.0, 116.0), site("N", 40.0, 116.0), site("M", 40.0001, 116.0001)]
    cells = {
        "N": SiteCells("N", "", 1, 1, (StationCell("a", "available"),)),
        "M": SiteCells("M", "", 1, 1, (StationCell("b", "faulted"),)),
    }
    south, north = spots_of(sites, cells, plane_of(sites))

    assert south.y > north.y
    assert north.codes == ("N", "M")
    assert (north.worst, north.states.total(), south.worst) == ("faulted", 2, "none")


async def test_the_picture(desk: Desk) -> None:
    """Escaped; sites without a place are told; nothing to draw says what to do."""
    words, visit = TEXTS["en"], await visit_of(desk)
    status = (await visit.status()).status
    assert status is not None

    made = picture(visit, [site("S01", 39.9, 116.4), site("S02", None, None)], status)

    assert "<img" not in made
    assert "1 sites have no coordinates." in made
    assert "<svg" in made
    assert 'class="ring"' in made
    assert "<image" not in made
    assert words["no_places_do"] in picture(visit, [site("S02", None, None)], status)


async def test_on_tiles(desk: Desk) -> None:
    """No rings; ways to come nearer and to move; what is outside the view is not drawn."""
    visit = await visit_of(desk, query="at=39.9,116.4&zoom=12")
    visit.tiles = Tiles("https://tiles.example/{z}/{x}/{y}.png", HOSTILE, "")
    status = (await visit.status()).status
    assert status is not None

    made = picture(visit, [site("S01", 39.9, 116.4), site("S02", 31.2, 121.5)], status)

    assert 'href="https://tiles.example/12/' in made
    assert "ring" not in made
    assert made.count('class="spot"') == 1
    assert "zoom=13" in made
    assert "<img" not in made


def test_a_view_by_address() -> None:
    """As it says; what makes no sense shows all sites."""
    sites = [site("S01", 39.9, 116.4)]
    all_of_them = view_of({}, sites)

    assert view_of({"at": "10,20", "zoom": "5"}, sites).zoom == 5
    assert view_of({"at": "10,20", "zoom": "99"}, sites).zoom == 18
    for odd in ("nan,1", "inf,0", "1e9,0", "x", "91,0"):
        assert view_of({"at": odd, "zoom": "5"}, sites) == all_of_them


@pytest.mark.slow
@needs_browser
async def test_in_a_real_browser(sqlite_url: str, tmp_path: Path) -> None:
    """The tile server may be asked by this page and by no other; one that is away leaves a plain map."""
    asked: list[str] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append((await reader.readuntil(b"\r\n\r\n")).split()[1].decode())
        writer.write(HEAD + GREY)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    origin = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    tiles = tiles_of(ConsoleSettings(tile_url=origin + "/{z}/{x}/{y}.svg", tile_attribution="© us"))
    async with server, running(sqlite_url, tiles=tiles) as kit, browsing(tmp_path / "chromium") as browser:
        policies = {
            path: (await kit.client.get(path)).headers["content-security-policy"] for path in ("/map", "/")
        }
        await browser.open(kit, "/map")
        await browser.until("document.querySelectorAll('.tiles image').length > 5")
        await browser.js("document.querySelector('a[title=Nearer]').click()")
        await browser.until("location.search.includes('zoom=16')")
        await browser.until("document.body.innerText.includes('© us')")
        spots = await browser.js("document.querySelectorAll('.map a .spot').length")
        complaints = list(browser.complaints)
        server.close()
        await browser.js("document.querySelector('a[title=Nearer]').click()")
        await browser.until("location.search.includes('zoom=17') && !!document.querySelector('.tiles')")
        await browser.until("!document.querySelector('.tiles image') && !!document.querySelector('.spot')")

    assert origin in policies["/map"]
    assert origin not in policies["/"]
    assert any(path.startswith("/15/") for path in asked)
    assert spots == 1
    assert complaints == []
    assert tiles_of(ConsoleSettings()) is None


GREY = b'<svg xmlns="http://www.w3.org/2000/svg" width="256" height="256"><path d="M0 0h255v255H0z"/></svg>'
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: image/svg+xml\r\nConnection: close\r\n\r\n"
