"""Who gives way to whom: claims, and what their wire form is."""

import pytest

from csms.cluster.nats_posts import Claim


def test_claims_are_ordered() -> None:
    """The connection's epoch first, then time; two claims are never equal, so one of two nodes gives way."""
    ordered = [
        Claim(1, 900, "b"),
        Claim(2, 100, "a"),
        Claim(2, 100, "b"),
        Claim(2, 101, "a"),
        Claim(10, 1, "a"),
    ]

    assert [max(ordered[:n]) for n in range(1, 6)] == ordered


def test_the_wire_form_is_frozen() -> None:
    """What this release says, older ones understand; what newer ones add is left out."""
    claim = Claim(12, 1_790_000_000_000_000_000, "0a1b")

    assert str(claim) == "12 1790000000000000000 0a1b"
    assert Claim.read("12 1790000000000000000 0a1b newer words") == claim


@pytest.mark.parametrize("text", ["", "1 2", "x 1 a", "1  a"])
def test_nonsense_is_no_claim(text: str) -> None:
    """It is refused, not guessed at."""
    with pytest.raises(ValueError, match=r"int\(\)|unpack"):
        Claim.read(text)
