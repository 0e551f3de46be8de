"""Who looks at a page. The one place where pages meet the sign-in.

Whether a cookie is signed in is the door's to say; who that is, and what they may see, the API's (`/me`).
"""

from collections.abc import Mapping
from typing import NamedTuple, Protocol

from starlette.requests import HTTPConnection

from csms.console.desk import Catalogue, Desk, SignedOut
from csms.console.texts import Language, preferred
from csms.console.visits import COOKIE, LANGUAGE_COOKIE, Visits

READ_ONLY = ("viewer", "platform")


class Person(NamedTuple):
    """Somebody who looks. `operator`, `sites`: the only ones they see, None for all; `headers`: who they
    are, for the API."""

    name: str
    role: str
    operator: str | None
    sites: tuple[str, ...] | None = None
    language: str = ""
    headers: Mapping[str, str] = {}
    address: str = ""

    @property
    def may_act(self) -> bool:
        """Whether buttons that change something are shown; the API decides all the same."""
        return self.role not in READ_ONLY and self.role != ""

    @property
    def is_admin(self) -> bool:
        """Whether forms of administration are shown."""
        return self.role == "admin"

    @property
    def is_signed_in(self) -> bool:
        """False for somebody who sees only what is public."""
        return self.role != ""


NOBODY = Person("", "", None)


class Door(Protocol):
    """Tells who a request is from."""

    async def lets_in(self, asked: HTTPConnection) -> bool:
        """Whether this browser may see a page at all. Cheap."""

    async def way_in(self, asked: HTTPConnection) -> str:
        """Where whoever may not see pages goes first."""

    async def who(self, asked: HTTPConnection) -> Person | None:
        """The person; NOBODY where the overview is public; None for somebody who has to sign in."""


class CookieDoor:
    """Sign-in with a cookie. `is_public`: the overview is for everyone."""

    def __init__(self, visits: Visits, catalogue: Catalogue, *, is_public: bool) -> None:
        self._visits = visits
        self._catalogue = catalogue
        self._is_public = is_public

    async def lets_in(self, asked: HTTPConnection) -> bool:
        """As `Door` has it."""
        return self._is_public or (await self._visits.find(asked.cookies.get(COOKIE)))[0]

    async def way_in(self, asked: HTTPConnection) -> str:
        """As `Door` has it."""
        return await self._visits.threshold(asked.cookies.get(COOKIE))

    async def who(self, asked: HTTPConnection) -> Person | None:
        """As `Door` has it."""
        cookie = asked.cookies.get(COOKIE)
        nobody = NOBODY if self._is_public else None
        if cookie is None or not (await self._visits.find(cookie))[0]:
            return nobody
        headers, address = {"Cookie": f"{COOKIE}={cookie}"}, asked.client.host if asked.client else ""
        try:
            me = await Desk(self._catalogue, headers, address).get("/me")
        except SignedOut:
            return nobody
        sites = None if me["sites"] is None else tuple(me["sites"])
        headers["X-CSRF-Token"] = me["csrf"]
        return Person(me["name"], me["role"], me["operator"], sites, me["language"], headers, address)


def language_of(asked: HTTPConnection, person: Person = NOBODY) -> Language:
    """What was chosen in this browser, else what the person prefers, else what the browser does."""
    chosen = asked.cookies.get(LANGUAGE_COOKIE) or person.language
    return preferred(chosen, asked.headers.get("accept-language", ""))
