"""Tokens: known for their time, on every node, and to nobody else."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csms.reporting.tcec.server.tokens import TokenMint

NOW = datetime(2026, 1, 5, 10, 0, tzinfo=UTC)
SECRET = "1234567890abcdef"
LIVES = timedelta(seconds=7200)
MINT = TokenMint("beijing", 7200, SECRET)


def test_a_token_lives_for_two_hours_on_every_node() -> None:
    """Another process with the same secrets knows it; at its end it is over."""
    token = MINT.make(NOW)
    other_node = TokenMint("beijing", 7200, SECRET)

    assert len(token) == 64
    assert other_node.knows(token, NOW)
    assert other_node.knows(token, NOW + LIVES - timedelta(seconds=1))
    assert not other_node.knows(token, NOW + LIVES)


def test_no_two_tokens_are_alike() -> None:
    """Not even of one moment."""
    assert len({MINT.make(NOW) for _ in range(100)}) == 100


@pytest.mark.parametrize("mint", [TokenMint("beijing", 7200, "other"), TokenMint("shenzhen", 7200, SECRET)])
def test_another_secret_or_platform_does_not_know_it(mint: TokenMint) -> None:
    """A changed secret ends every token."""
    assert not mint.knows(MINT.make(NOW), NOW)


@given(at=st.integers(0, 47), bit=st.integers(0, 7))
def test_one_changed_bit_makes_it_unknown(at: int, bit: int) -> None:
    """Its end above all cannot be moved."""
    raw = bytearray(urlsafe_b64decode(MINT.make(NOW)))
    raw[at] ^= 1 << bit

    assert not MINT.knows(urlsafe_b64encode(bytes(raw)).decode(), NOW)


@given(st.text(max_size=80))
def test_any_text_is_merely_unknown(text: str) -> None:
    """Nothing that stands in a header raises."""
    assert not MINT.knows(text, NOW)
