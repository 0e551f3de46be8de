"""The door of the pages for people: what `entry` says, in a form that needs no request. Knows no page."""

from typing import NamedTuple

from csms.api import entry
from csms.api.auth import person_of
from csms.api.parts import ApiParts
from csms.api.problems import Problem
from csms.errors import DoorBusy


class Visitor(NamedTuple):
    """A person at a page. `operator`: the only one they see; None for all."""

    name: str
    operator: str | None
    must_change: bool


class PageDoor:
    """What pages ask about people."""

    def __init__(self, parts: ApiParts) -> None:
        self._parts = parts

    async def enter(self, name: str, password: str, code: str, address: str) -> tuple[str | None, str]:
        """A new cookie; or None and why: `wrong` or `too_many`."""
        try:
            entered = await entry.enter(self._parts, name, password, code, address)
        except Problem as problem:
            return None, "too_many" if problem.status_code == 429 else "wrong"
        except DoorBusy:
            return None, "too_many"
        return entered.cookie, ""

    async def visitor(self, cookie: str | None) -> Visitor | None:
        """Who is signed in with this cookie."""
        who = await person_of(self._parts, cookie)
        if who is None or who.visit is None:
            return None
        return Visitor(who.name, who.operator, who.visit.user.must_change)

    async def leave(self, cookie: str | None) -> None:
        """Sign out."""
        await entry.leave(self._parts, cookie)

    async def change_password(self, cookie: str | None, old: str, new: str, address: str) -> str:
        """'' when it is changed; else `wrong`, `too_many` or `weak`."""
        visit = await entry.visit_of(self._parts, cookie)
        if visit is None:
            return "wrong"
        try:
            await entry.change_password(self._parts, visit, entry.Wish(old, new, cookie or "", address))
        except Problem as problem:
            if problem.status_code == 422:
                return "weak"
            return "too_many" if problem.detail == entry.GUESSED else "wrong"
        except DoorBusy:
            return "too_many"
        return ""
