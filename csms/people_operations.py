"""What an administrator does about people from the command line: one function each."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from csms.api.passwords import fault_of, hash_of, one_time
from csms.config import Settings
from csms.domain.scope import WHOLE, Scope
from csms.errors import InvalidInput, NotFound
from csms.operations import opened
from csms.store.command_queries import CommandDesk
from csms.store.database import Database
from csms.store.records import AuditRow
from csms.store.users import User, UserForm, UserStore

ROLES = ("viewer", "operator", "admin")
MOST_LISTED = 1_000


class PersonForm(NamedTuple):
    """A person as typed in."""

    name: str
    role: str
    operator: str | None
    sites: Sequence[str]


async def add_person(settings: Settings, form: PersonForm) -> str:
    """A one-time password for the new person. Raises InvalidInput, Conflict, NotFound."""
    if form.role not in ROLES:
        raise InvalidInput(f"role {form.role!r}: use one of {', '.join(ROLES)}")
    if not form.name.strip():
        raise InvalidInput("name: it is empty")
    scope = Scope(form.operator, frozenset(form.sites) if form.sites else None)
    password = one_time()
    async with opened(settings) as database:
        user = UserForm(form.name, form.role, scope)
        await UserStore(database).add(user, await hash_of(password), True, datetime.now(UTC))
        await _audit(database, "user-added", form.name, {"role": form.role, "operator": form.operator})
    return password


async def set_password(settings: Settings, name: str, password: str | None) -> str | None:
    """The given password, or a one-time one, which is returned. Raises NotFound, InvalidInput."""
    if password is not None and (fault := fault_of(password, name)):
        raise InvalidInput(fault)
    made = one_time() if password is None else None
    async with opened(settings) as database:
        user = await _found(database, name)
        hashed = await hash_of(password or made or "")
        await UserStore(database).set_password(user.user_id, hashed, must_change=made is not None, keep=b"")
        await _audit(database, "password-reset", user.name, {})
    return made


async def disable(settings: Settings, name: str) -> None:
    """The person may not sign in any more, and is signed out everywhere. Raises NotFound."""
    async with opened(settings) as database:
        user = await _found(database, name)
        scope = Scope(user.operator, user.sites)
        form = UserForm(user.name, user.role, scope, user.language, user.time_zone, enabled=False)
        await UserStore(database).change(user.user_id, form)
        await _audit(database, "user-changed", user.name, {"enabled": False})


async def listed(settings: Settings) -> list[dict[str, Any]]:
    """Everybody, by name."""
    async with opened(settings) as database:
        return (await UserStore(database).find(WHOLE, None, MOST_LISTED)).items


async def _found(database: Database, name: str) -> User:
    user = await UserStore(database).named(name)
    if user is None:
        raise NotFound(f"person {name}")
    return user


async def _audit(database: Database, action: str, subject: str, details: dict[str, Any]) -> None:
    row = AuditRow.of(datetime.now(UTC), "command line", action, subject, details)
    await CommandDesk(database).audit(row)
