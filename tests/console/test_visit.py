"""One window: times and links, actions and what is said of them, parts that fail alone."""

from typing import Any

import pytest
from starlette.requests import Request
from structlog.testing import capture_logs

from csms.console.desk import Refused, SignedOut
from csms.console.visit import Visit
from tests.api.conftest import MINE, Desk
from tests.console.kit import HOSTILE, visit_of


async def test_times_and_links(desk: Desk) -> None:
    """Of the place; the address with other parameters."""
    visit = await visit_of(desk, query="site=S01&after=x")

    assert "2026-01-01 20:00:00" in str(visit.time("2026-01-01T12:00:00.000Z"))
    assert visit.time(None) == "–"
    assert visit.link(after=None, tab="a b") == "/here?site=S01&tab=a+b"
    assert visit.link("/other", x=1) == "/other?x=1"


async def test_the_theme_is_the_chosen_one(desk: Desk) -> None:
    """What was chosen counts before what the browser said when it was here last."""
    visit = await visit_of(desk)

    for cookies, is_dark in (
        ({}, False),
        ({"csms_scheme": "dark"}, True),
        ({"csms_scheme": "light", "csms_theme": "dark"}, True),
        ({"csms_scheme": "dark", "csms_theme": "light"}, False),
    ):
        cookie = "; ".join(f"{name}={value}" for name, value in cookies.items()).encode()
        scope = {
            "type": "http",
            "method": "GET",
            "path": "/",
            "query_string": b"",
            "headers": [(b"cookie", cookie)],
        }
        assert Visit(Request(scope), visit.desk, visit.person, visit.snapshots).is_dark == is_dark


async def test_a_part_fails_alone(desk: Desk) -> None:
    """A refusal stands in its place; being signed out is for the whole page."""
    visit = await visit_of(desk)

    sites, nothing = await visit.several(visit.desk.get("/sites"), visit.desk.get("/no-such"))

    assert len(sites["items"]) == 3
    assert isinstance(nothing, Refused)

    async def out() -> None:
        raise SignedOut

    with pytest.raises(SignedOut):
        await visit.several(out())


async def test_actions(desk: Desk) -> None:
    """What they answer; a refusal as a banner; a failure as a number whose cause is in the log."""
    visit = await visit_of(desk)

    async def refused(fields: dict[str, Any]) -> None:
        await visit.desk.get(f"/charging-stations/{fields['name']}")

    async def broken(fields: dict[str, Any]) -> None:
        raise KeyError(HOSTILE)

    assert "There is no such record" in str(await visit.attempt(refused, {"name": "CS-9"}))
    with capture_logs() as logs:
        said = str(await visit.attempt(broken, {}))
    assert "urn:csms:request:" in said
    assert "img" not in said
    assert [entry["event"] for entry in logs] == ["page_failed"]


async def test_status_of_some_sites(desk: Desk) -> None:
    """Who sees some sites only is shown no figures of the others."""
    visit = await visit_of(desk)
    visit.person = visit.person._replace(sites=("S02",))

    seen = await visit.status()

    assert seen.status is not None
    assert [site.code for site in seen.status.sites] == ["S02"]
    assert {line.station for line in seen.status.ended} == set()
    assert seen.status.stations == 1


async def test_an_open_window_sees_no_more_than_a_new_one(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Now and then it is asked again who looks: not once signed out, nor with another scope than now."""
    monkeypatch.setattr("csms.console.visit.ASKED_EVERY_S", 0.0)
    narrowed, gone = await visit_of(desk), await visit_of(desk)
    assert (await gone.status()).status is not None

    narrowed.person = narrowed.person._replace(operator=MINE)
    (key_id, *_) = [key["key_id"] for key in await desk.parts.registry.api_keys()][-1:]
    await desk.parts.registry.revoke_api_key(key_id, desk.clock[0])

    for visit in (narrowed, gone):
        with pytest.raises(SignedOut):
            await visit.status()
