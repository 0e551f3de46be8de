"""Which sessions are looked for, and by which index: one condition leads, the others are asked row by row.

Of ten million sessions no page may read more than its share, whatever is combined. So the most telling
condition that has an index in the order of the page leads, and `session_queries` looks at a bounded number
of the rows it gives. Codes become numbers first, so that an index serves.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    cast,
    exists,
    func,
    literal_column,
    not_,
    or_,
    select,
)

from csms.domain.scope import WHOLE, Scope
from csms.store.columns import WHOLE as WHOLE_NUMBER
from csms.store.delivery_tables import disputes
from csms.store.outbox_statements import IN_STATE
from csms.store.scoping import within
from csms.store.session_codec import folded
from csms.store.tables import charging_stations, operators, outbox, session_due, sessions, sites
from csms.store.tariff_tables import session_costs
from csms.store.times import micros

MOST_NAMED = 5_000  # sessions that are disputed, unsent or unsettled: the newest of them
LONGEST_SESSION = timedelta(days=31)
SEQ_DIGITS, OPERATOR_DIGITS = 18, 9
SHORTEST_ID = 15  # digits: shorter numbers are sooner transaction ids

# Written out, because SQLite uses a partial index only for the very words of its condition.
UNENDED: ColumnElement[bool] = literal_column("sessions.state <> 'ended'")
ACTIVE: ColumnElement[bool] = literal_column("sessions.state = 'active'")
FLAGGED: ColumnElement[bool] = literal_column("sessions.flags <> ''")
_DISPUTED: ColumnElement[bool] = literal_column(
    "disputes.session_id IS NOT NULL AND disputes.resolved_at IS NULL"
)

s = sessions.c

DISPUTED = (
    select(disputes.c.session_id).where(_DISPUTED).order_by(disputes.c.session_id.desc()).limit(MOST_NAMED)
)
# One state at a time: each has an index of its own, in this order.
UNSENT = [
    select(outbox.c.key)
    .where(IN_STATE[state], outbox.c.kind.concat("") == literal_column("'charge-order'"))
    .order_by(outbox.c.outbox_id.desc())
    .limit(MOST_NAMED)
    for state in ("waiting", "dead")
]
UNSETTLED = select(session_due.c.session_id).order_by(session_due.c.session_id.desc()).limit(MOST_NAMED)


@dataclass(frozen=True, slots=True)
class SessionFilter:
    """Which sessions; None does not filter. Codes and identities, not numbers. `since` <= start < `until`.

    `state`: a session's own, or `live` (not ended), `unsettled` (ended, not priced and totalled yet),
    `settled`. Energies in Wh, costs in hundredths of the currency; both ends belong to the range.
    `is_disputed`: a platform disputes it and nobody has resolved that; `is_unsent`: an order of it waits
    or was set aside. `text` is part of a token, transaction id or identity, or a session's number.
    """

    operator: str | None = None
    site: str | None = None
    station: str | None = None
    evse: int | None = None
    connector: int | None = None
    token: str | None = None
    state: str | None = None
    quality: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    ended_since: datetime | None = None
    ended_until: datetime | None = None
    transaction_id: str | None = None
    stop_reason: str | None = None
    least_wh: int | None = None
    most_wh: int | None = None
    least_cost: int | None = None
    most_cost: int | None = None
    is_disputed: bool = False
    is_unsent: bool = False
    text: str | None = None
    oldest_first: bool = False
    scope: Scope = WHOLE


class Plan(NamedTuple):
    """`lead`: what an index answers, in the order of the page. `rest`: looked at row by row.

    `is_cut`: a list that names sessions had more of them than are looked for.
    """

    lead: list[ColumnElement[bool]]
    rest: list[ColumnElement[bool]]
    is_cut: bool = False


def plan_of(wanted: SessionFilter, connection: Connection) -> Plan | None:
    """How to look for the sessions of a filter; None: nothing can match."""
    numbers = _numbers(wanted, connection)
    if numbers is None:
        return None
    lists = _lists(wanted, connection)
    named = set[int].intersection(*lists) if lists else None
    if named is not None and not named:
        return None
    # Most telling first.
    conditions = [
        None if named is None else s.session_id.in_(sorted(named)),
        None if wanted.transaction_id is None else s.transaction_id == wanted.transaction_id,
        None if wanted.token is None else s.token_folded == folded(wanted.token),
        numbers.get("station"),
        None if wanted.quality is None else _flagged(numbers),
        UNENDED if wanted.state in ("live", "active", "suspected-ended") else None,
        numbers.get("site"),
        numbers.get("operator"),
    ]
    found = [one for one in conditions if one is not None]
    is_cut = any(len(numbers) >= MOST_NAMED for numbers in lists)
    seen = within(wanted.scope, s.operator_id, s.site_id)
    return Plan(found[:1] + _times(wanted), found[1:] + seen + _rest(wanted), is_cut)


def _flagged(numbers: dict[str, ColumnElement[bool]]) -> ColumnElement[bool]:
    """Sessions with any flag, of the place that is asked for: an index of few rows for each."""
    place = numbers.get("site", numbers.get("operator"))
    return FLAGGED if place is None else and_(FLAGGED, place)


def _numbers(wanted: SessionFilter, connection: Connection) -> dict[str, ColumnElement[bool]] | None:
    """Conditions by number for what has a code; None when there is no such thing."""
    queries: dict[str, tuple[Any, Select[Any], str | None]] = {
        "operator": (s.operator_id, select(operators.c.operator_id), wanted.operator),
        "site": (s.site_id, select(sites.c.site_id), wanted.site),
        "station": (s.station_id, select(charging_stations.c.station_id), wanted.station),
    }
    names = {"operator": operators.c.code, "site": sites.c.code, "station": charging_stations.c.identity}
    found: dict[str, ColumnElement[bool]] = {}
    for what, (column, query, name) in queries.items():
        if name is None:
            continue
        numbers = list(connection.scalars(query.where(names[what] == name)))
        if not numbers:
            return None
        found[what] = column == numbers[0] if len(numbers) == 1 else column.in_(numbers)
    return found


def _lists(wanted: SessionFilter, connection: Connection) -> list[set[int]]:
    """The numbers of the sessions that short lists name, for each list that the filter asks for."""
    lists: list[set[int]] = []
    if wanted.is_disputed:
        lists.append(_listed(connection, DISPUTED))
    if wanted.is_unsent:
        lists.append(_listed(connection, *UNSENT))
    if wanted.state == "unsettled":
        lists.append(_listed(connection, UNSETTLED))
    number = _number(wanted.text)
    if number is not None:
        lists.append({number})
    return lists


def _listed(connection: Connection, *queries: Select[Any]) -> set[int]:
    return {int(number) for query in queries for number in connection.scalars(query)}


def _number(text: str | None) -> int | None:
    """The session a text names: by its number, or by our StartChargeSeq."""
    if text is None:
        return None
    digits = text[OPERATOR_DIGITS:] if len(text) == OPERATOR_DIGITS + SEQ_DIGITS else text
    if not (digits.isascii() and digits.isdigit() and SHORTEST_ID <= len(digits) <= SEQ_DIGITS):
        return None
    return int(digits)


def _times(wanted: SessionFilter) -> list[ColumnElement[bool]]:
    """Bounds of the start. Who asks by the end asks for starts of the month before it."""
    since = [wanted.since, wanted.ended_since and wanted.ended_since - LONGEST_SESSION]
    until = [wanted.until, wanted.ended_until]
    found: list[ColumnElement[bool]] = [s.started_at >= micros(at) for at in since if at is not None]
    return found + [s.started_at < micros(at) for at in until if at is not None]


def _rest(wanted: SessionFilter) -> list[ColumnElement[bool]]:
    equal = {"evse": wanted.evse, "connector": wanted.connector, "stop_reason": wanted.stop_reason}
    found: list[ColumnElement[bool]] = [
        s[name] == value for name, value in equal.items() if value is not None
    ]
    if wanted.quality is not None:
        found.append(s.flags.contains(f",{wanted.quality},", autoescape=True))
    return found + _state(wanted.state) + _ranges(wanted) + _text(wanted.text)


def _state(state: str | None) -> list[ColumnElement[bool]]:
    if state in (None, "live"):
        return []
    if state not in ("settled", "unsettled"):
        return [s.state == state]
    is_due = exists(select(session_due.c.session_id).where(session_due.c.session_id == s.session_id))
    return [s.state == "ended", is_due if state == "unsettled" else not_(is_due)]


def _ranges(wanted: SessionFilter) -> list[ColumnElement[bool]]:
    # Money is decimal text with two places: without its point it is a whole number.
    cost = cast(func.replace(session_costs.c.total, ".", ""), WHOLE_NUMBER)
    bounds: list[tuple[Any, int | None, int | None]] = [
        (s.energy_wh, wanted.least_wh, wanted.most_wh),
        (cost, wanted.least_cost, wanted.most_cost),
    ]
    found: list[ColumnElement[bool]] = []
    for column, least, most in bounds:
        found += [] if least is None else [column >= least]
        found += [] if most is None else [column <= most]
    if wanted.ended_since is not None:
        found.append(s.ended_at >= micros(wanted.ended_since))
    if wanted.ended_until is not None:
        found.append(s.ended_at < micros(wanted.ended_until))
    return found


def _text(text: str | None) -> list[ColumnElement[bool]]:
    if text is None or _number(text) is not None:
        return []
    small = text.lower()
    return [
        or_(
            s.token_folded.contains(folded(text), autoescape=True),
            func.lower(s.transaction_id).contains(small, autoescape=True),
            func.lower(charging_stations.c.identity).contains(small, autoescape=True),
        )
    ]


def is_by_place_only(wanted: SessionFilter) -> bool:
    """Whether nothing but place and time of start is asked for: what roll-ups know too."""
    plain = SessionFilter(
        wanted.operator, wanted.site, wanted.station, since=wanted.since, until=wanted.until,
        oldest_first=wanted.oldest_first, scope=wanted.scope,
    )  # fmt: skip
    return wanted == plain and wanted.scope.sites is None


__all__ = ["ACTIVE", "FLAGGED", "UNENDED", "Plan", "SessionFilter", "is_by_place_only", "plan_of"]
