"""One-time codes: the RFCs' own vectors, a clock that is wrong, and a code that is used twice."""

from base64 import b32encode
from datetime import UTC, datetime, timedelta

import pytest

from csms.domain.one_time_codes import (
    address_of,
    code_at,
    digest_of,
    new_secret,
    recovery_codes,
    step_of,
)

SECRET = b32encode(b"12345678901234567890").decode()


@pytest.mark.parametrize(
    ("count", "code"),
    list(enumerate(["755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583"])),
)
def test_vectors_of_rfc_4226(count: int, code: str) -> None:
    """Appendix D."""
    assert code_at(SECRET, count) == code


@pytest.mark.parametrize(
    ("second", "code"), [(59, "287082"), (1111111109, "081804"), (20000000000, "353130")]
)
def test_vectors_of_rfc_6238(second: int, code: str) -> None:
    """Appendix B; of its eight digits the last six."""
    assert step_of(SECRET, code, datetime.fromtimestamp(second, UTC), 0) == second // 30


def test_a_code_is_good_once() -> None:
    """And a step early or late, as far as a phone's clock may be wrong; not two."""
    now = datetime.fromtimestamp(1_000_000, UTC)
    step = 1_000_000 // 30
    code = code_at(SECRET, step)

    assert step_of(SECRET, code, now, 0) == step
    assert step_of(SECRET, code, now, step) is None
    assert step_of(SECRET, code, now + timedelta(seconds=30), 0) == step
    assert step_of(SECRET, code, now + timedelta(seconds=61), 0) is None
    assert step_of(SECRET, "", now, 0) is None


def test_secrets_and_recovery_codes() -> None:
    """Random, of the length that apps take; what is kept of a code does not tell it."""
    codes = recovery_codes()

    assert len(new_secret()) == 32
    assert new_secret() != new_secret()
    assert len(set(codes)) == 10
    assert digest_of(f" {codes[0].upper()} ") == digest_of(codes[0])
    assert codes[0] not in digest_of(codes[0])
    assert address_of(SECRET, "li wei", "CSMS").startswith("otpauth://totp/CSMS:li%20wei?secret=")
