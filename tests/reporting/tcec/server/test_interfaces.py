"""Every kind of query that a profile may have is answered by somebody."""

from typing import get_args

import pytest

from csms.reporting.tcec.profile import bundled, load_profile
from csms.reporting.tcec.pulls import PullKind, Pulls
from csms.reporting.tcec.server.interfaces import INTERFACES


def test_the_table_is_complete() -> None:
    """Neither a kind without an answer nor an answer without a kind."""
    kinds = {name.replace("_", "-") for name in Pulls.model_fields}

    assert set(INTERFACES) == kinds == set(get_args(PullKind))


@pytest.mark.parametrize("name", bundled())
def test_every_query_of_every_profile_is_answered(name: str) -> None:
    """Under a path of its own."""
    profile = load_profile(name)
    paths = [profile.pull_path(pull.path) for pull in profile.answered().values()]

    assert set(profile.answered()) <= set(INTERFACES)
    assert len(set(paths)) == len(paths)
    assert "query-token" in profile.answered()
