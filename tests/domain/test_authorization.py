"""One rule of who may charge."""

from datetime import timedelta

import pytest

from csms.domain.assets import IdToken, TokenStatus
from csms.domain.authorization import UnknownPolicy, fold_token, judge, may_stop, needs_no_token, running_with
from csms.domain.events import PresentedToken
from csms.domain.session import SessionState, evolve
from tests.domain.story import T0, started, told

SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("token", "others", "policy", "own_retry", "status"),
    [
        (None, 0, "refuse", False, TokenStatus.UNKNOWN),
        (None, 5, "accept", False, TokenStatus.ACCEPTED),
        (IdToken("A"), 0, "refuse", False, TokenStatus.ACCEPTED),
        (IdToken("A", status=TokenStatus.BLOCKED), 0, "accept", False, TokenStatus.BLOCKED),
        (IdToken("A", status=TokenStatus.INVALID), 0, "accept", False, TokenStatus.INVALID),
        (IdToken("A", status=TokenStatus.EXPIRED), 0, "accept", False, TokenStatus.EXPIRED),
        (IdToken("A", expires_at=T0), 0, "refuse", False, TokenStatus.EXPIRED),
        (IdToken("A", expires_at=T0 + SECOND), 0, "refuse", False, TokenStatus.ACCEPTED),
        (IdToken("A"), 1, "refuse", False, TokenStatus.CONCURRENT),
        (IdToken("A"), 1, "refuse", True, TokenStatus.ACCEPTED),
        (IdToken("A", concurrent_limit=3), 2, "refuse", False, TokenStatus.ACCEPTED),
        (IdToken("A", status=TokenStatus.BLOCKED), 9, "refuse", True, TokenStatus.BLOCKED),
    ],
)
def test_a_token_is_judged(
    token: IdToken | None, others: int, policy: UnknownPolicy, own_retry: bool, status: TokenStatus
) -> None:
    """T19, T20: the same in every version, and it says why when the answer is no."""
    verdict = judge(token, T0, others, policy, own_retry)

    assert verdict.status is status
    assert bool(verdict.reason) or (status is TokenStatus.ACCEPTED)


def test_a_verdict_tells_group_and_expiry() -> None:
    """Stations cache them."""
    verdict = judge(IdToken("A", group="G", expires_at=T0 + SECOND), T0)

    assert (verdict.group, verdict.expires_at) == ("G", T0 + SECOND)


def test_only_sessions_that_run_count_against_the_limit() -> None:
    """Not ghosts, not refused ones, not its own retry; case does not matter (T20)."""
    session = told(started())
    ghost = evolve(session, state=SessionState.SUSPECTED_ENDED)
    refused = evolve(session, authorization=TokenStatus.CONCURRENT)
    other = evolve(session, token="B")

    assert running_with([session, ghost, refused, other], "a1") == 1
    assert running_with([session], "A1", own_start_key=session.start_key) == 0


@pytest.mark.parametrize(
    ("presented", "group", "status"),
    [
        ("a1", None, TokenStatus.ACCEPTED),
        ("B2", "g", TokenStatus.ACCEPTED),
        ("B2", "H", TokenStatus.INVALID),
        ("B2", None, TokenStatus.INVALID),
    ],
)
def test_the_starter_or_its_group_may_stop(presented: str, group: str | None, status: TokenStatus) -> None:
    """C09: any member of the group."""
    assert may_stop("A1", "G", presented, IdToken(presented, group=group)).status is status


def test_an_unknown_token_may_not_stop_anothers_session() -> None:
    """Even if the starter has no group."""
    assert may_stop("A1", None, "B2", None).status is TokenStatus.UNKNOWN


def test_tokens_are_compared_without_case() -> None:
    """1.6 CiString; stored as sent."""
    assert fold_token("Ab") == fold_token("aB")
    assert needs_no_token(PresentedToken("", "NoAuthorization"))
    assert not needs_no_token(PresentedToken("A", "ISO14443"))
