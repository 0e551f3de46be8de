"""People who may sign in, and their signed-in browsers. Knows rows; not how passwords are made or checked.

Every method raises StoreUnavailable when the database is away.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, bindparam, delete, func, select, update

from csms.domain.scope import Scope
from csms.errors import Conflict
from csms.store.account_tables import users, visits
from csms.store.database import Database
from csms.store.glances import Glance
from csms.store.jsontext import json_of, value_of
from csms.store.outage import is_duplicate
from csms.store.paging import Page, key_of, page_of
from csms.store.scoping import columns_of, sites_of
from csms.store.tables import operators
from csms.store.times import micros, text_of

u, v = users, visits


class User(NamedTuple):
    """A person. `sites`: codes of the only sites; None is all of the operator's, or of all operators."""

    user_id: int
    name: str
    password_hash: str
    role: str
    operator: str | None
    sites: frozenset[str] | None
    language: str
    time_zone: str
    enabled: bool
    must_change: bool
    code_secret: str | None  # as it is stored: sealed
    code_step: int
    recovery: tuple[str, ...]


class UserForm(NamedTuple):
    """What an administrator says of a person."""

    name: str
    role: str
    scope: Scope
    language: str = ""
    time_zone: str = ""
    enabled: bool = True


class Visit(NamedTuple):
    """A signed-in browser and whose it is."""

    user: User
    csrf: str
    began_at: int
    seen_at: int


WITH_OPERATOR = select(u, operators.c.code.label("operator_code")).outerjoin(
    operators, operators.c.operator_id == u.c.operator_id
)
BY_NAME = WITH_OPERATOR.where(u.c.folded == bindparam("name"))
VISIT = Glance(
    select(
        u, operators.c.code.label("operator_code"), v.c.csrf, v.c.began_at.label("began"), v.c.seen_at
    )
    .join_from(v, u, u.c.user_id == v.c.user_id)
    .outerjoin(operators, operators.c.operator_id == u.c.operator_id)
    .where(v.c.token_hash == bindparam("token")),
    "token",
)  # fmt: skip
SEEN = update(v).where(v.c.token_hash == bindparam("token")).values(seen_at=bindparam("now"))
END = delete(v).where(v.c.token_hash == bindparam("token"))
END_ALL = delete(v).where(v.c.user_id == bindparam("user"))
FORGET = delete(v).where((v.c.seen_at < bindparam("idle_since")) | (v.c.began_at < bindparam("began_since")))
OPEN_VISITS = select(func.count()).select_from(v).where(v.c.seen_at >= bindparam("since"))
ANYBODY = select(u.c.user_id).limit(1)
USE_CODE = (
    update(u)
    .where(u.c.user_id == bindparam("user"), u.c.code_step < bindparam("step"))
    .values(code_step=bindparam("step"))
)
SIGNED_IN = update(u).where(u.c.user_id == bindparam("user")).values(signed_in_at=bindparam("now"))


class UserStore:
    """Reads and writes people and visits."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def exist(self) -> bool:
        """Whether there is anybody yet."""
        return bool(await self._database.read(ANYBODY))

    async def find(self, scope: Scope, after: str | None, most: int) -> Page:
        """People of this scope, by name."""
        query = WITH_OPERATOR.order_by(u.c.folded).limit(most + 1)
        if scope.operator is not None:
            query = query.where(operators.c.code == scope.operator)
        if after is not None:
            query = query.where(u.c.folded > key_of(after, (str,))[0])
        rows = list(await self._database.read(query))
        return page_of(rows, most, shown, lambda row: (row.folded,))

    async def named(self, name: str) -> User | None:
        """The person of this name, without case."""
        rows = await self._database.read(BY_NAME, {"name": folded(name)})
        return _user(rows[0]) if rows else None

    async def add(self, form: UserForm, password_hash: str, must_change: bool, now: datetime) -> None:
        """A new person. Raises Conflict for a name that is taken, NotFound for an unknown place."""
        await self._database.run(partial(_add, form, password_hash, must_change, micros(now)))

    async def change(self, user_id: int, form: UserForm) -> None:
        """What an administrator may change; a person who is disabled is signed out everywhere."""
        await self._database.run(partial(_change, user_id, form))

    async def set_password(self, user_id: int, password_hash: str, *, must_change: bool, keep: bytes) -> None:
        """Another password. Signs out everywhere but for the visit `keep` (b'' for none)."""
        values = {"password_hash": password_hash, "must_change": int(must_change)}
        await self._database.run(partial(_set_and_sign_out, user_id, values, keep))

    async def set_codes(self, user_id: int, secret: str | None, recovery: Sequence[str], step: int) -> None:
        """Ask for one-time codes of this secret from now on; None: ask for none."""
        kept = None if secret is None else self._database.seal.close(secret)
        values = {"code_secret": kept, "recovery": json_of(list(recovery)), "code_step": step}
        await self._database.execute(update(u).where(u.c.user_id == user_id).values(values))

    def code_secret(self, user: User) -> str | None:
        """The secret of the person's one-time codes; None: none are asked for."""
        return None if user.code_secret is None else self._database.seal.open(user.code_secret)

    async def prefer(self, user_id: int, language: str, time_zone: str) -> None:
        """The person's own language and zone."""
        values = {"language": language, "time_zone": time_zone}
        await self._database.execute(update(u).where(u.c.user_id == user_id).values(values))

    async def use_code(self, user_id: int, step: int) -> bool:
        """Take a one-time code; False when it was taken before, perhaps by another process just now."""
        return await self._database.execute(USE_CODE, {"user": user_id, "step": step}) == 1

    async def use_recovery(self, user: User, digest: str) -> bool:
        """Take a recovery code; False when there is no such code any more."""
        return await self._database.run(partial(_use_recovery, user.user_id, digest))

    async def begin(self, user_id: int, token_hash: bytes, csrf: str, address: str, now: datetime) -> None:
        """A browser has signed in."""
        at = micros(now)
        values = {
            "token_hash": token_hash, "user_id": user_id, "csrf": csrf, "began_at": at, "seen_at": at,
            "address": address,
        }  # fmt: skip
        await self._database.run(partial(_begin, user_id, values, at))

    async def visit(self, token_hash: bytes) -> Visit | None:
        """The browser of this token, whatever its age."""
        rows = await VISIT.rows(self._database, token_hash)
        return _visit(rows[0]) if rows else None

    async def seen(self, token_hash: bytes, now: datetime) -> None:
        """The browser is still in use."""
        await self._database.execute(SEEN, {"token": token_hash, "now": micros(now)})

    async def end(self, token_hash: bytes) -> None:
        """Sign out."""
        await self._database.execute(END, {"token": token_hash})

    async def end_all(self, user_id: int) -> int:
        """Sign out everywhere; how many browsers it were."""
        return await self._database.execute(END_ALL, {"user": user_id})

    async def forget(self, now: datetime, idle: timedelta, longest: timedelta) -> int:
        """Remove visits that are over."""
        limits = {"idle_since": micros(now - idle), "began_since": micros(now - longest)}
        return await self._database.execute(FORGET, limits)

    async def count(self, since: datetime) -> int:
        """How many browsers were in use since then."""
        return int((await self._database.read(OPEN_VISITS, {"since": micros(since)}))[0][0])


def folded(name: str) -> str:
    """A name as it is compared."""
    return name.strip().casefold()


def shown(row: Row[Any]) -> dict[str, Any]:
    """A person as the API gives it: no hash and no secret."""
    return {
        "name": row.name,
        "role": row.role,
        "operator": row.operator_code,
        "sites": None if row.sites is None else value_of(row.sites),
        "language": row.language,
        "time_zone": row.time_zone,
        "enabled": bool(row.enabled),
        "must_change_password": bool(row.must_change),
        "one_time_codes": row.code_secret is not None,
        "created_at": text_of(row.created_at),
        "signed_in_at": text_of(row.signed_in_at),
    }


def _user(row: Row[Any]) -> User:
    return User(
        row.user_id,
        row.name,
        row.password_hash,
        row.role,
        row.operator_code,
        sites_of(row.sites),
        row.language,
        row.time_zone,
        bool(row.enabled),
        bool(row.must_change),
        row.code_secret,
        row.code_step,
        tuple(value_of(row.recovery)),
    )


def _visit(row: Any) -> Visit:
    return Visit(_user(row), row.csrf, row.began, row.seen_at)


def _told(form: UserForm, connection: Connection) -> dict[str, Any]:
    return {
        "folded": folded(form.name),
        "name": form.name.strip(),
        "role": form.role,
        "language": form.language,
        "time_zone": form.time_zone,
        "enabled": int(form.enabled),
        **columns_of(form.scope, connection),
    }


def _add(form: UserForm, password_hash: str, must_change: bool, now: int, connection: Connection) -> None:
    values = _told(form, connection)
    values |= {"password_hash": password_hash, "must_change": int(must_change), "created_at": now}
    try:
        with connection.begin_nested():
            connection.execute(u.insert(), values)
    except Exception as exc:
        if is_duplicate(exc):
            raise Conflict(f"the name {form.name} is taken") from exc
        raise


def _change(user_id: int, form: UserForm, connection: Connection) -> None:
    values = _told(form, connection)
    del values["folded"], values["name"]
    connection.execute(update(u).where(u.c.user_id == user_id).values(values))
    if not form.enabled:
        connection.execute(END_ALL, {"user": user_id})


def _set_and_sign_out(user_id: int, values: dict[str, Any], keep: bytes, connection: Connection) -> None:
    connection.execute(update(u).where(u.c.user_id == user_id).values(values))
    connection.execute(delete(v).where(v.c.user_id == user_id, v.c.token_hash != keep))


def _use_recovery(user_id: int, digest: str, connection: Connection) -> bool:
    left = value_of(connection.scalar(select(u.c.recovery).where(u.c.user_id == user_id)) or "[]")
    if digest not in left:
        return False
    before = json_of(left)
    left.remove(digest)
    # Compared, so that two processes cannot take the same one.
    taken = update(u).where(u.c.user_id == user_id, u.c.recovery == before).values(recovery=json_of(left))
    return connection.execute(taken).rowcount == 1


def _begin(user_id: int, values: dict[str, Any], now: int, connection: Connection) -> None:
    connection.execute(v.insert(), values)
    connection.execute(SIGNED_IN, {"user": user_id, "now": now})


__all__ = ["User", "UserForm", "UserStore", "Visit", "folded", "shown"]
