"""What an administrator does from the command line: one function each, on an open database."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import NamedTuple

from csms.api.auth import new_key
from csms.config import Settings
from csms.domain.assets import IdToken, OcppVersion, TokenStatus
from csms.domain.credentials import fault_of_password, generate_password, hash_password
from csms.domain.scope import Scope
from csms.errors import InvalidInput
from csms.store.database import Database
from csms.store.migrations import is_current, upgrade_database
from csms.store.registry import Registry
from csms.store.registry import StationForm as Registration

MOST_IDENTITY = 48  # part 4, 3.1.1: identifierString[48]


class StationForm(NamedTuple):
    """A charging station as typed in."""

    password: str | None
    generate: bool
    site: str | None
    operator: str | None
    max_power_w: int | None
    assume_version: str | None


class TokenForm(NamedTuple):
    """An id token as typed in."""

    token: str
    status: str
    type: str
    group: str | None
    concurrent_limit: int


def migrate(settings: Settings) -> str:
    """Bring the tables to this release; a line saying what was done."""

    async def work() -> str:
        database = await Database.open(settings.database.url)
        try:
            was_current = await is_current(database)
            await upgrade_database(database)
        finally:
            await database.close()
        return (
            "the tables are of this release already" if was_current else "the tables are of this release now"
        )

    return asyncio.run(work())


async def add_station(settings: Settings, identity: str, form: StationForm) -> str | None:
    """Register a station; a line with its password if one was made. Raises InvalidInput and NotFound."""
    fault = fault_of_identity(identity)
    if fault:
        raise InvalidInput(f"identity {identity!r}: {fault}")
    password = generate_password() if form.generate else form.password
    if password is None and 0 not in settings.gateway.security_profiles:
        raise InvalidInput("a password is needed: give --password, or --generate to have one made")
    if password is not None and (wrong := fault_of_password(password.encode())):
        raise InvalidInput(wrong)
    registration = Registration(
        identity=identity,
        site=form.site,
        operator=form.operator,
        secret=hash_password(password.encode()) if password is not None else None,
        security_profile=0 if password is None else 1,
        assume_version=_version(form.assume_version),
        max_power_w=form.max_power_w,
    )
    async with opened(settings) as database:
        await Registry(database).put_station(registration, datetime.now(UTC))
    return f"password (shown once): {password}" if form.generate else None


async def add_token(settings: Settings, form: TokenForm) -> None:
    """Register an id token. Raises InvalidInput."""
    allowed = [
        s.value for s in (TokenStatus.ACCEPTED, TokenStatus.BLOCKED, TokenStatus.EXPIRED, TokenStatus.INVALID)
    ]
    if form.status not in allowed:
        raise InvalidInput(f"status {form.status!r}: use one of {', '.join(allowed)}")
    if not form.token or len(form.token) > 255:
        raise InvalidInput("token: 1 to 255 characters (OCPP 1.6 stations can send at most 20)")
    token = IdToken(
        form.token, form.type, TokenStatus(form.status), form.group, concurrent_limit=form.concurrent_limit
    )
    async with opened(settings) as database:
        await Registry(database).put_token(token, datetime.now(UTC))


async def create_key(settings: Settings, role: str, operator: str | None, name: str) -> str:
    """Make an API key; the key itself is returned and only its hash is kept. Raises NotFound."""
    async with opened(settings) as database:
        key, digest = new_key()
        await Registry(database).put_api_key(name, digest, role, Scope(operator), datetime.now(UTC))
    return key


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Database]:
    """The configured database, its tables brought to this release."""
    database = await Database.open(settings.database.url, settings.database.read_connections)
    try:
        await upgrade_database(database)
        yield database
    finally:
        await database.close()


def fault_of_identity(identity: str) -> str | None:
    """Why a station cannot have this identity, or None (part 4, 3.1.1)."""
    if not 1 <= len(identity) <= MOST_IDENTITY:
        return f"1 to {MOST_IDENTITY} characters"
    allowed = set("._=@+*|-")
    bad = sorted({c for c in identity if not (c.isascii() and c.isalnum()) and c not in allowed})
    return f"these characters may not be in it: {' '.join(map(repr, bad))}" if bad else None


def _version(text: str | None) -> OcppVersion | None:
    if text is None:
        return None
    try:
        return OcppVersion(text if text.startswith("ocpp") else f"ocpp{text}")
    except ValueError as exc:
        raise InvalidInput(f"version {text!r}: use one of {', '.join(OcppVersion)}") from exc
