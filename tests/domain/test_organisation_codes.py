"""Check characters, against identifiers of well-known organisations and by their properties."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csms.domain.organisation_codes import USCID_LETTERS, fault_of_uscid, organisation_check, uscid_check


@pytest.mark.parametrize(
    "text",
    [
        "91350100M000100Y43",  # the standard's own example
        "91110000802100433B",  # published in annual reports
        "914403001922038216",
    ],
)
def test_known_identifiers_are_right(text: str) -> None:
    """Identifiers that are in public use pass."""
    assert fault_of_uscid(text) is None


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("91350100M000100Y4", "has 17 characters"),
        ("91350100M000100Y44", "check character is 3"),
        ("91350100M000I00Y43", "has I"),
    ],
)
def test_a_wrong_one_is_explained(text: str, told: str) -> None:
    """The message says what is wrong."""
    assert told in (fault_of_uscid(text) or "")


@pytest.mark.parametrize(("first", "last"), [("80210043", "3"), ("19220382", "1"), ("M000100Y", "4")])
def test_organisation_code(first: str, last: str) -> None:
    """Characters 9 to 17 of a USCID are the organisation code."""
    assert organisation_check(first) == last


@given(st.text(USCID_LETTERS, min_size=17, max_size=17), st.integers(0, 16), st.sampled_from(USCID_LETTERS))
def test_one_wrong_letter_is_always_noticed(first: str, place: int, letter: str) -> None:
    """31 is prime: no substitution of one character goes unseen."""
    whole = first + uscid_check(first)
    changed = whole[:place] + letter + whole[place + 1 :]

    assert fault_of_uscid(whole) is None
    assert (fault_of_uscid(changed) is None) == (changed == whole)
