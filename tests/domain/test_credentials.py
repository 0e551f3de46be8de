"""Passwords of charging stations."""

import pytest

from csms.domain import credentials


def test_a_password_is_recognised_by_its_salt_and_digest() -> None:
    """What was hashed is right, anything else is wrong."""
    salt, digest = credentials.hash_password(b"0123456789abcdef")

    assert credentials.is_password(b"0123456789abcdef", salt, digest)
    assert not credentials.is_password(b"0123456789abcdeF", salt, digest)
    assert not credentials.is_password(b"", salt, digest)


def test_two_hashes_of_one_password_differ() -> None:
    """The salt is random, and with a given salt the digest is the same."""
    salt, digest = credentials.hash_password(b"0123456789abcdef")

    assert credentials.hash_password(b"0123456789abcdef")[1] != digest
    assert credentials.hash_password(b"0123456789abcdef", salt) == (salt, digest)


def test_h05_any_bytes_are_a_password() -> None:
    """H05: 1.6 passwords may hold NUL, 0xFF and a colon."""
    password = bytes(range(248, 256)) + b"\x00:\xff" * 4

    assert credentials.is_password(password, *credentials.hash_password(password))


@pytest.mark.parametrize(("length", "is_good"), [(15, False), (16, True), (40, True), (41, False)])
def test_h07_length_of_a_password(length: int, is_good: bool) -> None:
    """H07: 16 to 40 bytes."""
    assert (credentials.fault_of_password(b"x" * length) is None) is is_good


def test_h07_length_is_counted_in_bytes() -> None:
    """H07: a text of 21 characters may have more than 40 bytes."""
    assert credentials.fault_of_password(("密" * 14).encode()) is not None


def test_generated_passwords_fit_every_version() -> None:
    """20 characters, letters and digits, never the same twice."""
    made = {credentials.generate_password() for _ in range(100)}

    assert len(made) == 100
    assert all(len(p) == 20 and p.isascii() and p.isalnum() for p in made)
    assert all(credentials.fault_of_password(p.encode()) is None for p in made)


@pytest.mark.parametrize(
    ("given", "expected"),
    [(b"00ffAB", b"\x00\xff\xab"), (b"0f0", None), (b"zz", None), (b"0 ff", None), ("é".encode() * 2, None)],
)
def test_hex_digits_are_read(given: bytes, expected: bytes | None) -> None:
    """Only an even number of hex digits spells bytes."""
    assert credentials.unhex(given) == expected
