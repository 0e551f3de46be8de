"""Id tokens as people look for them and change them, and what was decided of them lately. Knows rows."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import msgspec
from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    bindparam,
    delete,
    literal_column,
    select,
    update,
)

from csms.domain.assets import IdToken
from csms.errors import Conflict, NotFound
from csms.store import registry_writes
from csms.store.database import Database
from csms.store.device_tables import messages
from csms.store.jsontext import json_of, value_of
from csms.store.paging import Page, cursor_of, key_of, page_of
from csms.store.session_codec import folded
from csms.store.tables import charging_stations, id_tokens, operators, sessions
from csms.store.times import micros_or_none, text_of

LOOKED_AT = 10_000  # tokens that a page of a search looks at
MOST_STARTS, MOST_AUTHORIZE = 20, 20
AUTHORIZE_LOOKED_AT = 5_000

t = id_tokens.c
OWNED: ColumnElement[bool] = literal_column("id_tokens.operator_id IS NOT NULL")
GROUPED: ColumnElement[bool] = literal_column("id_tokens.group_token IS NOT NULL")
SHOWN = select(id_tokens, operators.c.code.label("operator_code")).outerjoin(
    operators, operators.c.operator_id == t.operator_id
)
ONE = SHOWN.where(t.folded == bindparam("token"))
REMOVE = delete(id_tokens).where(t.folded == bindparam("token"))
COLUMNS = {"group": "group_token"}
STORED: dict[str, Callable[[Any], Any]] = {"sites": json_of, "expires_at": micros_or_none}
OPERATOR = select(operators.c.operator_id).where(operators.c.code == bindparam("code"))
STARTS = (
    select(sessions, charging_stations.c.identity)
    .join(charging_stations, charging_stations.c.station_id == sessions.c.station_id)
    .outerjoin(operators, operators.c.operator_id == sessions.c.operator_id)
    .where(sessions.c.token_folded == bindparam("token"))
    .order_by(sessions.c.started_at.desc(), sessions.c.session_id.desc())
    .limit(MOST_STARTS)
)
_asked = (
    select(messages)
    .where(literal_column("messages.action = 'Authorize'"))
    .order_by(messages.c.entry_id.desc())
    .limit(AUTHORIZE_LOOKED_AT)
    .subquery("asked")
)
AUTHORIZED = (
    select(_asked, charging_stations.c.identity)
    .join(charging_stations, charging_stations.c.station_id == _asked.c.station_id)
    .outerjoin(operators, operators.c.operator_id == charging_stations.c.operator_id)
    .order_by(_asked.c.entry_id.desc())
    .limit(MOST_AUTHORIZE)
)


@dataclass(frozen=True, slots=True)
class TokenFilter:
    """Which tokens; None does not filter. `operator`: those of this one alone. `text`: of token or note."""

    operator: str | None = None
    text: str | None = None
    status: str | None = None
    group: str | None = None
    type: str | None = None


class TokenStore:
    """Every method raises StoreUnavailable when the database is away."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, wanted: TokenFilter, after: str | None = None, most: int = 100) -> Page:
        """A page of tokens as the API gives them, by their texts without case. A page that has looked at
        its share of them may be short. Raises InvalidInput for a bad cursor.
        """
        return await self._database.browse(partial(_find, wanted, after, most))

    async def shown(self, token: str, operator: str | None = None) -> dict[str, Any] | None:
        """A token as the API gives it; None when there is none, or it is not `operator`'s."""
        rows = await self._database.read(ONE, {"token": folded(token)})
        if not rows or operator not in (None, rows[0].operator_code):
            return None
        return _shown(rows[0])

    async def put(self, token: IdToken, operator: str | None, own: str | None, now: int) -> bool:
        """Insert or replace, for `operator` (its code; None: for all). True: it is new.

        `own` is the only operator whose tokens the caller may change. Raises NotFound, Conflict.
        """
        return await self._database.run(partial(_put, token, operator, own, now))

    async def change(self, token: str, fields: dict[str, Any], own: str | None, now: int) -> dict[str, Any]:
        """Set these fields of a token, named as the API names them; it, as it is then. What is not among them
        stays as others have left it. Raises NotFound, also for a token that is not `own`'s.
        """
        return await self._database.run(partial(_change, token, fields, own, now))

    async def remove(self, token: str) -> bool:
        """Forget a token. False: there is none. Sessions keep what they were started with."""
        return await self._database.execute(REMOVE, {"token": folded(token)}) == 1

    async def decisions(self, token: str, operator: str | None = None) -> list[dict[str, Any]]:
        """What was said of a token lately, newest first: its last sessions, and Authorize of the log."""
        return await self._database.browse(partial(_decisions, token, operator))


def _find(wanted: TokenFilter, after: str | None, most: int, connection: Connection) -> Page:
    lead, rest = _conditions(wanted)
    last = "" if after is None else key_of(after, (str,))[0]
    query = select(t.folded).where(*lead, t.folded > last).order_by(t.folded)
    keys = list(connection.scalars(query.limit(LOOKED_AT if rest else most + 1)))
    if not keys:
        return Page([], None)
    rows = connection.execute(
        SHOWN.where(*lead, *rest, t.folded > last, t.folded <= keys[-1]).order_by(t.folded).limit(most + 1)
    ).all()
    found = page_of(list(rows), most, _shown, lambda row: (row.folded,))
    if found.next is None and rest and len(keys) == LOOKED_AT:
        return Page(found.items, cursor_of(keys[-1]))
    return found


def _conditions(wanted: TokenFilter) -> tuple[list[ColumnElement[bool]], list[ColumnElement[bool]]]:
    """One that an index answers in the order of the page, and those that are asked row by row."""
    found: list[list[ColumnElement[bool]]] = []
    if wanted.operator is not None:
        own: Select[Any] = select(operators.c.operator_id).where(operators.c.code == wanted.operator)
        found.append([OWNED, t.operator_id == own.scalar_subquery()])
    if wanted.group is not None:
        found.append([GROUPED, t.group_token == wanted.group])
    rest = [one for several in found[1:] for one in several]
    equal = {"status": wanted.status, "type": wanted.type}
    rest += [t[name] == value for name, value in equal.items() if value is not None]
    if wanted.text is not None:
        text = folded(wanted.text)
        rest.append(t.folded.contains(text, autoescape=True) | t.note.icontains(wanted.text, autoescape=True))
    return (found[0] if found else []), rest


def _put(token: IdToken, operator: str | None, own: str | None, now: int, connection: Connection) -> bool:
    number = None if operator is None else connection.scalar(OPERATOR, {"code": operator})
    if operator is not None and number is None:
        raise NotFound(f"operator {operator}")
    known = connection.execute(ONE, {"token": folded(token.token)}).one_or_none()
    if known is not None and own not in (None, known.operator_code):
        raise Conflict("the token is registered, and not by this operator")
    owned = IdToken(
        token.token, token.type, token.status, token.group, token.expires_at, token.concurrent_limit,
        number, token.sites, token.note,
    )  # fmt: skip
    return registry_writes.put_token(owned, now, connection)


def _change(
    token: str, fields: dict[str, Any], own: str | None, now: int, connection: Connection
) -> dict[str, Any]:
    asked = {"token": folded(token)}
    known = connection.execute(ONE.with_for_update(of=id_tokens), asked).one_or_none()
    if known is None or own not in (None, known.operator_code):
        raise NotFound(f"id token {token}")
    values = {COLUMNS.get(name, name): STORED.get(name, _as_it_is)(value) for name, value in fields.items()}
    same = t.folded == asked["token"]
    connection.execute(update(id_tokens).where(same).values(values | {"updated_at": now}))
    return _shown(connection.execute(ONE, asked).one())


def _as_it_is(value: Any) -> Any:
    return value


def _decisions(token: str, operator: str | None, connection: Connection) -> list[dict[str, Any]]:
    starts, authorized = STARTS, AUTHORIZED
    if operator is not None:
        starts = starts.where(operators.c.code == operator)
        authorized = authorized.where(operators.c.code == operator)
    found = [_started(row) for row in connection.execute(starts, {"token": folded(token)})]
    # As it stands in the payload; the letters' case is asked again below.
    text = msgspec.json.encode(token).decode()[1:-1]
    query = authorized.where(_asked.c.request.icontains(text, autoescape=True))
    found += [one for row in connection.execute(query) if (one := _authorized(row, token)) is not None]
    return sorted(found, key=lambda one: str(one["at"]), reverse=True)


def _started(row: Row[Any]) -> dict[str, Any]:
    return {
        "at": text_of(row.received_at),
        "request": "start",
        "charging_station": row.identity,
        "status": row.authorization,
        "reason": row.authorization_reason,
        "session_id": str(row.session_id),
    }


def _authorized(row: Row[Any], token: str) -> dict[str, Any] | None:
    """None: the text stands elsewhere in the payload, or it was cut."""
    try:
        asked, told = value_of(row.request), value_of(row.answer or "{}")
    except msgspec.DecodeError:
        return None
    inner = asked.get("idToken")
    presented = asked.get("idTag") or (inner.get("idToken") if isinstance(inner, dict) else None)
    if not isinstance(presented, str) or folded(presented) != folded(token):
        return None
    info = told.get("idTagInfo") or told.get("idTokenInfo") or {}
    return {
        "at": text_of(row.at),
        "request": "authorize",
        "charging_station": row.identity,
        "status": str(info.get("status", row.outcome)),
        "reason": "",
        "session_id": None,
    }


def _shown(row: Row[Any]) -> dict[str, Any]:
    return {
        "token": row.token,
        "type": row.type,
        "status": row.status,
        "group": row.group_token,
        "expires_at": text_of(row.expires_at),
        "concurrent_limit": row.concurrent_limit,
        "operator": row.operator_code,
        "sites": value_of(row.sites),
        "note": row.note,
    }
