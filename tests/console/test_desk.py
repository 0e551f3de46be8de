"""The console's own way to the API: in process, as the person who looks, with its refusals."""

import pytest

from csms.console.desk import Catalogue, Refused, SignedOut
from csms.console.desk import Desk as Counter
from tests.api.conftest import MINE, Desk
from tests.console.kit import visit_of


async def test_it_reads_with_the_persons_rights(desk: Desk) -> None:
    """Scope is the API's: a key of one operator does not see the other's stations."""
    headers = {"Authorization": f"Bearer {await desk.key('viewer', MINE)}"}
    limited = Counter(Catalogue(desk.app), headers)

    page = await limited.get("/charging-stations", site="", after=None, limit=10)

    assert [one["identity"] for one in page["items"]] == ["CS-0001", "CS-0002"]
    with pytest.raises(Refused, match="404"):
        await limited.get("/charging-stations/CS-0009")


async def test_a_refusal_says_what_to_do(desk: Desk) -> None:
    """Its title, its detail, the fields it names."""
    counter = (await visit_of(desk)).desk

    with pytest.raises(Refused) as caught:
        await counter.post("/charging-stations/CS-0001/commands", {"command": "Reset", "kind": "odd"})

    assert caught.value.status == 422
    assert caught.value.errors[0]["fix"]


async def test_nobody_is_signed_out(desk: Desk) -> None:
    """401 is its own error: it leads to the door."""
    with pytest.raises(SignedOut):
        await Counter(Catalogue(desk.app), {}).get("/operators")


async def test_what_the_api_offers(desk: Desk) -> None:
    """Resources, whatever their variables are called; methods; parameters."""
    counter = (await visit_of(desk)).desk

    assert await counter.offers("/sessions/{}/cost")
    assert await counter.offers("/sessions", "site")
    assert not await counter.offers("/sessions", "no-such")
    assert not await counter.offers("/no-such")
    assert await counter.offers("/id-tokens", method="post")
    assert "Problem" in await counter.schemas()
