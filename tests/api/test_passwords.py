"""Passwords: what they must be like, and that only their own hash knows them."""

import asyncio
import threading

import pytest

from csms.api.passwords import AT_ONCE, MOST_WAITING, Turns, fault_of, hash_of, matches, one_time
from csms.errors import DoorBusy


@pytest.mark.parametrize(
    ("password", "fault"),
    [
        ("short", "12 to 128"),
        ("x" * 200, "12 to 128"),
        ("my name is li wei", "contain the name"),
        ("aaaabbbbaaaabbbb", "5 different"),
        ("correct horse battery", None),
        ("这是一个足够长的中文口令短语", None),
    ],
)
def test_what_a_password_is_like(password: str, fault: str | None) -> None:
    """Long, without the name, and not one letter over and over; no other rules."""
    found = fault_of(password, "Li Wei")

    assert found is None if fault is None else found is not None and fault in found


@pytest.mark.parametrize("name", ["", " ", "o", "li", "bat"])
def test_a_short_name_may_be_in_it(name: str) -> None:
    """Else nobody of that name would find a password."""
    assert fault_of("oblivious combat battery", name) is None


def test_a_name_is_found_without_its_blanks() -> None:
    """As it is compared everywhere."""
    assert fault_of("correct horse battery", " Horse ") is not None


async def test_a_hash_knows_its_password() -> None:
    """Argon2id with a salt of its own; a broken hash and nobody's know none."""
    hashed = await hash_of("correct horse battery")

    assert hashed.startswith("$argon2id$")
    assert hashed != await hash_of("correct horse battery")
    assert await matches(hashed, "correct horse battery")
    assert not await matches(hashed, "correct horse batterY")
    assert not await matches("no hash", "correct horse battery")
    assert not await matches(None, "correct horse battery")


async def test_few_wait_for_their_turn() -> None:
    """Whoever else comes is sent away, and may come again when the others are done."""
    turns, held = Turns(), threading.Event()
    waiting = [asyncio.ensure_future(turns.take(held.wait)) for _ in range(AT_ONCE + MOST_WAITING)]
    await asyncio.sleep(0)
    with pytest.raises(DoorBusy):
        await turns.take(held.wait)
    held.set()

    assert all(await asyncio.gather(*waiting))
    assert await turns.take(held.wait)


def test_one_time_passwords_are_passwords() -> None:
    """They keep the rules themselves."""
    assert fault_of(one_time(), "admin") is None
