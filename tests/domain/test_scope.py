"""Who sees what, and that nobody gives rights that they have not."""

import pytest

from csms.domain.scope import WHOLE, Scope

MINE, OTHER = Scope("123456789"), Scope("987654321")
ONE_SITE = Scope("123456789", frozenset({"S01"}))
TWO_SITES = Scope("123456789", frozenset({"S01", "S02"}))


@pytest.mark.parametrize(
    ("wider", "narrower", "holds"),
    [
        (WHOLE, WHOLE, True),
        (WHOLE, ONE_SITE, True),
        (MINE, MINE, True),
        (MINE, WHOLE, False),
        (MINE, OTHER, False),
        (MINE, ONE_SITE, True),
        (ONE_SITE, MINE, False),
        (ONE_SITE, TWO_SITES, False),
        (TWO_SITES, ONE_SITE, True),
        (ONE_SITE, Scope("987654321", frozenset({"S01"})), False),
    ],
)
def test_holds(wider: Scope, narrower: Scope, holds: bool) -> None:
    """The whole network holds all; an operator its own; some sites only some of them."""
    assert wider.holds(narrower) is holds


def test_whole() -> None:
    """Only who is limited by nothing sees the whole network."""
    assert [scope.is_whole for scope in (WHOLE, MINE, ONE_SITE)] == [True, False, False]


@pytest.mark.parametrize(
    ("scope", "operator", "site", "sees"),
    [
        (WHOLE, None, None, True),
        (MINE, "123456789", None, True),
        (MINE, "987654321", "S01", False),
        (ONE_SITE, "123456789", "S01", True),
        (ONE_SITE, "123456789", "S02", False),
        (ONE_SITE, "123456789", None, False),
        (ONE_SITE, "987654321", "S01", False),
    ],
)
def test_sees(scope: Scope, operator: str | None, site: str | None, sees: bool) -> None:
    """What stands nowhere is seen by whoever sees all of its operator, and by nobody else."""
    assert scope.sees(operator, site) is sees
