"""Who a charging station is: Basic credentials against what is stored. Pure; no socket, no store."""

import base64
import binascii
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from csms.domain.credentials import hash_password, is_password, unhex

MOST_HEADER = 1024  # bytes; identity (48) and password (40), base64, with much room


class Basic(NamedTuple):
    """What an Authorization header says. Bytes: 1.6 passwords need not be text (A00.FR.205)."""

    username: bytes
    password: bytes


class Secret(NamedTuple):
    """A stored password."""

    salt: bytes
    digest: bytes


@dataclass(frozen=True, slots=True)
class Account:
    """What is stored about a station's right to connect.

    `previous` is set while a new password is on its way to the station: either one is right then.
    `highest_profile` is the highest the station has connected with: it never goes back (A05.FR.09).
    """

    security_profile: int = 1
    highest_profile: int = 0
    current: Secret | None = None
    previous: Secret | None = None
    hex_on_wire: bool = False


class Verdict(Enum):
    """How a login went; the value is for the log and the answer's body."""

    ACCEPTED = "accepted"
    ACCEPTED_PREVIOUS = "accepted with the password before the last"
    NO_CREDENTIALS = "credentials are required"
    MALFORMED = "the Authorization header cannot be read"
    WRONG_USER = "the user name is not the identity in the URL"
    WRONG_PASSWORD = "wrong password"
    HEX_PASSWORD = "the password came as hex digits; send its bytes, or register the station as hex_on_wire"
    PROFILE = "this security profile is not served here"


ACCEPTED = frozenset({Verdict.ACCEPTED, Verdict.ACCEPTED_PREVIOUS})

# Compared with when there is nothing to compare with, so that it takes as long.
_NOBODY = Secret(*hash_password(b"nobody has this password"))


def parse_basic(header: str) -> Basic | None:
    """The credentials of an Authorization header (as latin-1 text), or None when it is none.

    The password is everything after the first colon, as bytes: it may hold colons, NUL and 0xFF.
    """
    scheme, _, encoded = header.strip().partition(" ")
    if len(header) > MOST_HEADER or scheme.lower() != "basic":
        return None
    try:
        decoded = base64.b64decode(encoded.strip().encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        return None
    username, colon, password = decoded.partition(b":")
    return Basic(username, password) if colon else None


def check(account: Account | None, identity: str, header: str | None, profiles: frozenset[int]) -> Verdict:
    """Whether a station may connect as `identity`; `account` None is a station nobody registered.

    `profiles` are those this door serves: 0 is no password at all, 1 is Basic over plain TCP. A station
    is held to its own profile, up and down (A00.FR.002): one registered for TLS is refused here.
    """
    if account is not None:
        if account.security_profile not in profiles or account.security_profile < account.highest_profile:
            return Verdict.PROFILE
        if account.security_profile == 0:
            return Verdict.ACCEPTED
    if header is None:
        return Verdict.NO_CREDENTIALS
    basic = parse_basic(header)
    if basic is None:
        return Verdict.MALFORMED
    verdict = _compare(account or Account(), basic.password)
    # Looked at last, so that a wrong name takes as long as a wrong password (A00.FR.204).
    if basic.username != identity.encode():
        return Verdict.WRONG_USER
    return verdict


def _compare(account: Account, password: bytes) -> Verdict:
    current = account.current or _NOBODY
    if is_password(password, *current):
        return Verdict.ACCEPTED
    if account.previous is not None and is_password(password, *account.previous):
        return Verdict.ACCEPTED_PREVIOUS
    plain = unhex(password)
    if plain is not None and is_password(plain, *current):
        return Verdict.ACCEPTED if account.hex_on_wire else Verdict.HEX_PASSWORD
    return Verdict.WRONG_PASSWORD
