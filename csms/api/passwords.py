"""Passwords of people: what they must be like, and their argon2 hashes. Knows no person."""

import asyncio
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError

from csms.errors import DoorBusy

SHORTEST, LONGEST = 12, 128  # characters
AT_ONCE = 2  # each takes 64 MiB and a core for a twentieth of a second
MOST_WAITING = 20
NAME_COUNTS_FROM = 4  # letters

T = TypeVar("T")

_hasher = PasswordHasher()


class Turns:
    """Work of which little is done at once. A few may wait; whoever else comes is sent away."""

    def __init__(self) -> None:
        self._workers = ThreadPoolExecutor(AT_ONCE, "password")
        self._inside = 0

    async def take(self, work: Callable[[], T]) -> T:
        """What the work answers. Raises DoorBusy."""
        if self._inside >= AT_ONCE + MOST_WAITING:
            raise DoorBusy
        self._inside += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._workers, work)
        finally:
            self._inside -= 1


_turns = Turns()


def fault_of(password: str, name: str) -> str | None:
    """Why a person cannot have this password, or None (NIST SP 800-63B: length, no rules of composition)."""
    if not SHORTEST <= len(password) <= LONGEST:
        return f"a password has {SHORTEST} to {LONGEST} characters"
    name = name.strip().casefold()
    # A password without one certain letter would be hard to find.
    if len(name) >= NAME_COUNTS_FROM and name in password.casefold():
        return "a password must not contain the name"
    if len(set(password)) < 5:
        return "a password has at least 5 different characters"
    return None


def one_time() -> str:
    """A password to be changed at the first sign-in."""
    return secrets.token_urlsafe(15)


async def hash_of(password: str) -> str:
    """What is kept of a password. Raises DoorBusy."""
    return await _turns.take(partial(_hasher.hash, password))


async def matches(password_hash: str | None, password: str) -> bool:
    """Whether the password is that of the hash. None takes as long, and is nobody's. Raises DoorBusy."""
    return await _turns.take(partial(_matches, password_hash, password[:LONGEST]))


def _matches(password_hash: str | None, password: str) -> bool:
    try:
        is_right = _hasher.verify(password_hash or _nobody(), password)
    except (VerifyMismatchError, InvalidHashError):
        return False
    return is_right and password_hash is not None


@cache
def _nobody() -> str:
    return _hasher.hash(secrets.token_urlsafe())
