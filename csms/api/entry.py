"""How a person gets in and stays: name, password and one-time code, then a cookie. Knows no route.

The browser holds 256 random bits; the database has their SHA-256 only. The cookie is new with each sign-in.
A visit ends by itself after some time without a request, and after half a day at the latest.
"""

import hashlib
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import NamedTuple

from csms.api.forms import NAME_LONGEST, is_printable
from csms.api.parts import ApiParts
from csms.api.passwords import fault_of, matches
from csms.api.passwords import hash_of as hashed
from csms.api.problems import Problem, invalid
from csms.domain.one_time_codes import digest_of, step_of
from csms.errors import CsmsError
from csms.store.records import AuditRow
from csms.store.times import instant
from csms.store.users import User, Visit, folded

COOKIE = "csms_visit"
TOUCHED_EVERY = timedelta(minutes=1)
WRONG = "Name, password or code is wrong."
GUESSED = "Too many wrong passwords. Try again later."


class Entered(NamedTuple):
    """A new visit. `cookie` is told to the browser once, `csrf` goes with each change it asks for."""

    user: User
    cookie: str
    csrf: str


class Wish(NamedTuple):
    """Another password, asked for by the browser of `cookie` at `address`."""

    old: str
    new: str
    cookie: str
    address: str


async def enter(parts: ApiParts, name: str, password: str, code: str, address: str) -> Entered:
    """Sign a person in. Raises Problem 401, 429 for who fails too often, and DoorBusy."""
    if not _is_name(name):
        raise Problem(401, WRONG)
    now, whom = parts.now(), (folded(name), address)
    wait_s = parts.throttle.book(now, *whom)
    if wait_s:
        parts.sign_ins["throttled"] += 1
        detail = f"Too many attempts that failed. Try again in {wait_s} s."
        raise Problem(429, detail, headers={"Retry-After": str(wait_s)})
    with _given_back(parts, *whom):
        user = await _known(parts, name, password, code)
    if user is None:
        parts.sign_ins["refused"] += 1
        await parts.desk.audit(
            _row(parts, f"user:{folded(name)[:NAME_LONGEST]}", "sign-in-refused", name, address)
        )
        raise Problem(401, WRONG)
    parts.throttle.forgive(*whom)
    parts.sign_ins["accepted"] += 1
    cookie, csrf = secrets.token_urlsafe(32), secrets.token_urlsafe(24)
    await parts.users.begin(user.user_id, hash_of(cookie), csrf, address, now)
    await parts.users.forget(now, idle(parts), longest(parts))
    await parts.desk.audit(_row(parts, f"user:{user.name}", "sign-in", user.name, address))
    return Entered(user, cookie, csrf)


async def visit_of(parts: ApiParts, cookie: str | None) -> Visit | None:
    """Whose browser this is; None when it is not signed in, or was too long ago."""
    if not cookie or len(cookie) > 100:
        return None
    token, now = hash_of(cookie), parts.now()
    visit = await parts.users.visit(token)
    if visit is None or not visit.user.enabled:
        return None
    seen = instant(visit.seen_at)
    if now - seen >= idle(parts) or now - instant(visit.began_at) >= longest(parts):
        await parts.users.end(token)
        return None
    if now - seen >= TOUCHED_EVERY:
        await parts.users.seen(token, now)
    return visit


async def change_password(parts: ApiParts, visit: Visit, wish: Wish) -> None:
    """Another password of the person's own; every other browser is signed out.

    Raises Problem 403 where the old one is wrong or was guessed at, and 422 for a new one that is none; and
    DoorBusy.
    """
    user = visit.user
    await prove(parts, user, wish.old, wish.address)
    fault = fault_of(wish.new, user.name)
    if fault or wish.new == wish.old:
        raise invalid("body.new", fault or "it is the old password", "Choose another password.")
    await parts.users.set_password(
        user.user_id, await hashed(wish.new), must_change=False, keep=hash_of(wish.cookie)
    )
    await parts.desk.audit(_row(parts, f"user:{user.name}", "password-changed", user.name, wish.address))


async def prove(parts: ApiParts, user: User, password: str, address: str) -> None:
    """Ask for the password again; guesses count like those at the door. Raises Problem 403, and DoorBusy."""
    whom = folded(user.name), address
    if parts.throttle.book(parts.now(), *whom):
        raise Problem(403, GUESSED)
    with _given_back(parts, *whom):
        is_right = await matches(user.password_hash, password)
    if not is_right:
        raise Problem(403, "The password is wrong.")
    parts.throttle.forgive(*whom)


async def leave(parts: ApiParts, cookie: str | None) -> None:
    """Sign out."""
    if cookie:
        await parts.users.end(hash_of(cookie))


def hash_of(cookie: str) -> bytes:
    """What is stored of a cookie."""
    return hashlib.sha256(cookie.encode()).digest()


def idle(parts: ApiParts) -> timedelta:
    """How long a visit lasts without a request."""
    return timedelta(minutes=parts.settings.accounts.idle_min)


def longest(parts: ApiParts) -> timedelta:
    """How long a visit lasts at most."""
    return timedelta(hours=parts.settings.accounts.longest_h)


@contextmanager
def _given_back(parts: ApiParts, name: str, address: str) -> Iterator[None]:
    """An attempt that could not be looked at was none."""
    try:
        yield
    except CsmsError:
        parts.throttle.give_back(name, address)
        raise


async def _known(parts: ApiParts, name: str, password: str, code: str) -> User | None:
    """Who has this name, password and code, and may sign in."""
    user = await parts.users.named(name)
    # The same work for a name that nobody has.
    is_right = await matches(user.password_hash if user else None, password)
    if user is None or not is_right or not user.enabled or not await _is_code(parts, user, code):
        return None
    return user


async def _is_code(parts: ApiParts, user: User, code: str) -> bool:
    """Whether the one-time code is right and new; true where none is asked for."""
    secret = parts.users.code_secret(user)
    if secret is None:
        return True
    step = step_of(secret, code.replace(" ", ""), parts.now(), user.code_step)
    if step is not None:
        return await parts.users.use_code(user.user_id, step)
    return bool(code) and await parts.users.use_recovery(user, digest_of(code))


def _is_name(name: str) -> bool:
    """Whether anybody can have this name; what cannot be one is neither remembered nor audited."""
    return 0 < len(name) <= NAME_LONGEST and is_printable(name)


def _row(parts: ApiParts, actor: str, action: str, subject: str, address: str) -> AuditRow:
    return AuditRow.of(parts.now(), actor, action, subject, {})._replace(address=address)
