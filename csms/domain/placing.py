"""Where an asset was, from when to when: dated spells, and what a new record makes of them. Pure.

A spell is one stay: of an operator, at a site, in a class. Spells of one asset are in order and never
overlap, so that any past date has one answer. What was unknown (empty) becomes known in place; what was
known and is another now begins a new spell.
"""

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from typing import NamedTuple

from csms.errors import InvalidInput


class Place(NamedTuple):
    """Whose, where and as what an asset is counted; empty is unknown or meaningless."""

    operator: str
    site: str = ""
    charger_class: str = ""


class Spell(NamedTuple):
    """`place` from `since` (included) to `until` (excluded; None: still)."""

    since: datetime
    until: datetime | None
    place: Place

    def holds(self, at: datetime) -> bool:
        """Whether it was so at this instant."""
        return self.since <= at and (self.until is None or at < self.until)


class Dates(NamedTuple):
    """What a record says: joined, in its place since, retired. None: not said (retired: not retired)."""

    joined_at: datetime | None = None
    placed_at: datetime | None = None
    retired_at: datetime | None = None


def settle(spells: Sequence[Spell], place: Place, dates: Dates, now: datetime) -> tuple[Spell, ...]:
    """The spells once a record says this. Repeating the record changes nothing.

    A new asset has been in its place since it joined (unknown: `now`). Another place than the last known one
    begins at `placed_at` if that is later than the last spell's beginning, else `now`. One that had retired
    and is not said to be retired joins again, from `placed_at` or `now` on. `joined_at` corrects the first
    beginning. Raises InvalidInput where that leaves no order.
    """
    if dates.placed_at is not None and dates.placed_at > now:
        raise InvalidInput("placed_at: it lies in the future")
    if not spells:
        since = dates.joined_at or dates.placed_at or now
        return checked((Spell(since, dates.retired_at, place),))
    changed = list(spells)
    if dates.joined_at is not None:
        changed[0] = changed[0]._replace(since=dates.joined_at)
    last = changed[-1]
    if last.until is not None and dates.retired_at is None and last.until <= now:
        back = dates.placed_at if dates.placed_at and dates.placed_at >= last.until else now
        changed.append(Spell(back, None, place))
    elif _is_move(last.place, place) and last.until is None:
        moved = dates.placed_at if dates.placed_at and dates.placed_at > last.since else now
        changed[-1] = last._replace(until=moved)
        changed.append(Spell(moved, dates.retired_at, place))
    else:
        changed[-1] = last._replace(until=dates.retired_at, place=place)
    return checked(tuple(changed))


def _is_move(before: Place, after: Place) -> bool:
    return any(old and new and old != new for old, new in zip(before, after, strict=True))


def checked(spells: tuple[Spell, ...]) -> tuple[Spell, ...]:
    """The same spells. Raises InvalidInput when one ends before it begins, or begins before another ended."""
    for spell in spells:
        if spell.until is not None and spell.until <= spell.since:
            raise InvalidInput(f"it would end ({_day(spell.until)}) before it begins ({_day(spell.since)})")
    for before, after in pairwise(spells):
        if before.until is None:
            raise InvalidInput("only the last spell may be without an end")
        if after.since < before.until:
            began, ended = _day(after.since), _day(before.until)
            raise InvalidInput(f"it would begin ({began}) before the one before ends ({ended})")
    return spells


def _day(at: datetime) -> str:
    return at.isoformat(timespec="minutes")
