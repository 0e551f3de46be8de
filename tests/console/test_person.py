"""Who looks: from the cookie, by the API."""

from typing import Any

from starlette.requests import HTTPConnection

from csms.api.page_door import PageDoor
from csms.console.desk import Catalogue
from csms.console.desk import Desk as Counter
from csms.console.person import NOBODY, CookieDoor, Person, language_of
from csms.console.visits import Visits
from csms.domain.scope import Scope
from tests.api.conftest import MINE, Desk
from tests.api.test_entry import PASSWORD, person


def asked(cookie: str = "", accept: str = "") -> HTTPConnection:
    """A browser's request."""
    headers = [(b"cookie", cookie.encode()), (b"accept-language", accept.encode())]
    return HTTPConnection({"type": "http", "headers": headers, "client": ("192.0.2.1", 9)})


async def test_a_person(desk: Desk) -> None:
    """Name, role, scope; and what the API wants with each change."""
    await person(desk, "wang", "operator", Scope(MINE, frozenset({"S01"})))
    pages: Any = PageDoor(desk.parts)
    cookie, _ = await pages.enter("wang", PASSWORD, "", "192.0.2.1")
    door = CookieDoor(Visits(pages), Catalogue(desk.app), is_public=False)

    who = await door.who(asked(f"csms_visit={cookie}"))

    assert who is not None
    assert (who.name, who.role, who.operator, who.sites) == ("wang", "operator", MINE, ("S01",))
    assert (who.may_act, who.is_admin, who.is_signed_in) == (True, False, True)
    given = await Counter(Catalogue(desk.app), who.headers).post(
        "/charging-stations/CS-0001/commands", {"command": "ClearCache"}
    )
    assert given["result"] == "accepted"


async def test_nobody(desk: Desk) -> None:
    """Has to sign in, or sees what is public."""
    visits = Visits(PageDoor(desk.parts))
    shut = CookieDoor(visits, Catalogue(desk.app), is_public=False)
    public = CookieDoor(visits, Catalogue(desk.app), is_public=True)

    assert (await shut.who(asked()), await shut.lets_in(asked("csms_visit=x"))) == (None, False)
    assert (await public.who(asked("csms_visit=x")), await public.lets_in(asked())) == (NOBODY, True)
    assert await shut.way_in(asked()) == "/sign-in"
    assert not NOBODY.is_signed_in


def test_language() -> None:
    """This browser's choice, the person's, the browser's."""
    chinese = Person("li", "viewer", None, None, "zh-CN")

    assert language_of(asked("csms_language=en", "zh-CN"), chinese) == "en"
    assert language_of(asked("", "en"), chinese) == "zh-CN"
    assert language_of(asked("", "zh-CN")) == "zh-CN"
    assert not chinese.may_act
