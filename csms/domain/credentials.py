"""Passwords of charging stations: made, salted, compared. No header, no store, no OCPP version.

A station's password is random and at least 16 bytes long, so a salted HMAC is enough. A slow key
derivation would cost a third of a second per connection, and ten thousand stations reconnect at once.
"""

import hashlib
import hmac
import secrets
import string

SHORTEST = 16  # bytes: A00.FR.205 of 1.6 (AuthorizationKey) and of 2.x (BasicAuthPassword)
LONGEST = 40  # bytes: 2.x. 1.6 stops at 20, but a registered station's version is not known yet
GENERATED = 20  # characters: the longest that every version takes
SALT_BYTES = 16

_ALPHABET = string.ascii_letters + string.digits


def hash_password(password: bytes, salt: bytes | None = None) -> tuple[bytes, bytes]:
    """The salt (random when not given) and the digest to be stored; the password itself never is."""
    if salt is None:
        salt = secrets.token_bytes(SALT_BYTES)
    return salt, hmac.digest(salt, password, hashlib.sha256)


def is_password(password: bytes, salt: bytes, digest: bytes) -> bool:
    """Whether `password` is the one that was hashed. Takes the same time either way."""
    return hmac.compare_digest(hmac.digest(salt, password, hashlib.sha256), digest)


def generate_password() -> str:
    """20 random letters and digits (119 bits): allowed in 1.6 (16 to 20 bytes) and 2.x (16 to 40)."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(GENERATED))


def fault_of_password(password: bytes) -> str | None:
    """Why this password cannot be given to a station, or None. 2.x counts characters, 1.6 bytes."""
    length = len(password)
    if not SHORTEST <= length <= LONGEST:
        return f"a password has {SHORTEST} to {LONGEST} bytes (1.6: at most 20); this one has {length}"
    return None


def unhex(password: bytes) -> bytes | None:
    """The bytes that `password` spells in hex digits, or None.

    1.6 sets the AuthorizationKey as hex digits, and some stations show the same digits at login where
    the bytes belong (A00.FR.205).
    """
    if len(password) % 2 or not password.isalnum():
        return None
    try:
        return bytes.fromhex(password.decode("ascii"))
    except ValueError:
        return None
