"""Basic credentials against what is stored."""

import base64

import pytest

from csms.domain.credentials import hash_password
from csms.gateway.auth import ACCEPTED, Account, Basic, Secret, Verdict, check, parse_basic

RAW = bytes((0, 255)) + b":" + bytes(range(100, 117))
PASSWORD = b"correct-horse-battery"
ONE = frozenset({1})


def secret(password: bytes) -> Secret:
    return Secret(*hash_password(password))


def basic(username: str, password: bytes) -> str:
    return "Basic " + base64.b64encode(username.encode() + b":" + password).decode()


ACCOUNT = Account(current=secret(PASSWORD))


def test_the_right_password_is_accepted() -> None:
    """The identity and its password let a station in."""
    assert check(ACCOUNT, "CS-1", basic("CS-1", PASSWORD), ONE) is Verdict.ACCEPTED


def test_h02_no_credentials() -> None:
    """H02: profile 1 without an Authorization header."""
    assert check(ACCOUNT, "CS-1", None, ONE) is Verdict.NO_CREDENTIALS


def test_h03_another_users_right_password() -> None:
    """H03: the user name must be the identity in the URL, however right the password."""
    assert check(ACCOUNT, "CS-1", basic("CS-2", PASSWORD), ONE) is Verdict.WRONG_USER


def test_h04_wrong_password() -> None:
    """H04: a wrong password, and any password where none is stored."""
    assert check(ACCOUNT, "CS-1", basic("CS-1", b"wrong-horse-battery-"), ONE) is Verdict.WRONG_PASSWORD
    assert check(Account(), "CS-1", basic("CS-1", PASSWORD), ONE) is Verdict.WRONG_PASSWORD


def test_h01_an_unknown_station_is_compared_all_the_same() -> None:
    """H01: nobody's account goes the same way as a known one."""
    assert check(None, "CS-9", basic("CS-9", PASSWORD), ONE) is Verdict.WRONG_PASSWORD


def test_h05_passwords_are_bytes() -> None:
    """H05: 20 raw bytes with NUL, 0xFF and a colon."""
    assert check(Account(current=secret(RAW)), "CS-1", basic("CS-1", RAW), ONE) is Verdict.ACCEPTED


def test_h06_hex_on_the_wire_needs_the_flag() -> None:
    """H06: the same password as 40 hex digits is accepted for flagged stations, else a hint is given."""
    sent = basic("CS-1", RAW.hex().encode())

    assert check(Account(current=secret(RAW)), "CS-1", sent, ONE) is Verdict.HEX_PASSWORD
    assert check(Account(current=secret(RAW), hex_on_wire=True), "CS-1", sent, ONE) is Verdict.ACCEPTED


def test_h06_no_hint_for_wrong_digits() -> None:
    """H06: hex digits of something else are just wrong."""
    sent = basic("CS-1", b"ab" * 20)

    assert check(Account(current=secret(RAW)), "CS-1", sent, ONE) is Verdict.WRONG_PASSWORD


def test_h07_non_ascii_passwords() -> None:
    """H07: a 2.x password is UTF-8 on the wire."""
    password = "pässwörd-密码-0123".encode()

    assert check(Account(current=secret(password)), "CS-1", basic("CS-1", password), ONE) is Verdict.ACCEPTED


@pytest.mark.parametrize(
    "header",
    [
        "Basic !!!",
        "Basic Q1M",
        "Basic " + base64.b64encode(b"no colon").decode(),
        "Bearer abc",
        "Basic",
        "",
        "Basic " + "A" * 8192,
        "Basic \xff\xfe",
    ],
)
def test_h08_malformed_headers(header: str) -> None:
    """H08: bad base64, no colon, another scheme, 8 KiB: refused without a traceback."""
    assert check(ACCOUNT, "CS-1", header, ONE) is Verdict.MALFORMED


def test_the_scheme_is_compared_without_case() -> None:
    """RFC 9110 11.1; spaces around do not matter."""
    encoded = base64.b64encode(b"CS-1:pass:word").decode()

    assert parse_basic(f"  bAsIc   {encoded} ") == Basic(b"CS-1", b"pass:word")


@pytest.mark.parametrize("profile", [2, 3])
def test_h10_a_station_of_a_tls_profile_is_refused_here(profile: int) -> None:
    """H10: the right password does not help a station that is registered for TLS."""
    account = Account(security_profile=profile, current=secret(PASSWORD))

    assert check(account, "CS-1", basic("CS-1", PASSWORD), frozenset({0, 1})) is Verdict.PROFILE


def test_h10_profile_0_has_to_be_switched_on() -> None:
    """H10: without credentials only where both the door and the station are set so."""
    account = Account(security_profile=0)

    assert check(account, "CS-1", None, ONE) is Verdict.PROFILE
    assert check(account, "CS-1", None, frozenset({0, 1})) is Verdict.ACCEPTED
    assert check(ACCOUNT, "CS-1", None, frozenset({0, 1})) is Verdict.NO_CREDENTIALS


def test_h11_a_profile_once_reached_is_the_least() -> None:
    """H11: a station that reached profile 1 is refused without a password for ever."""
    account = Account(security_profile=0, highest_profile=1)

    assert check(account, "CS-1", None, frozenset({0, 1})) is Verdict.PROFILE


def test_h14_both_passwords_hold_while_one_is_on_its_way() -> None:
    """H14: after a rotation whose answer was lost, the new and the old password are right."""
    account = Account(current=secret(b"the-new-password"), previous=secret(PASSWORD))

    assert check(account, "CS-1", basic("CS-1", b"the-new-password"), ONE) is Verdict.ACCEPTED
    assert check(account, "CS-1", basic("CS-1", PASSWORD), ONE) is Verdict.ACCEPTED_PREVIOUS
    assert {Verdict.ACCEPTED, Verdict.ACCEPTED_PREVIOUS} == ACCEPTED
