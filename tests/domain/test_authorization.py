"""One rule of who may charge."""

from datetime import timedelta

import pytest

from csms.domain.assets import ChargingStation, IdToken, TokenStatus
from csms.domain.authorization import (
    UnknownPolicy,
    explain,
    fold_token,
    judge,
    may_stop,
    needs_no_token,
    running_with,
)
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


HERE = ChargingStation(1, "CS-1", 5, 7, "123456789", "S01")


@pytest.mark.parametrize(
    ("token", "status"),
    [
        (IdToken("A", operator_id=7), TokenStatus.ACCEPTED),
        (IdToken("A", operator_id=8), TokenStatus.INVALID),
        (IdToken("A", sites=("S01", "S02")), TokenStatus.ACCEPTED),
        (IdToken("A", sites=("S02",)), TokenStatus.INVALID),
        (IdToken("A", operator_id=7, sites=("S02",)), TokenStatus.INVALID),
        (IdToken("A", status=TokenStatus.BLOCKED, operator_id=8), TokenStatus.BLOCKED),
        (IdToken("A", concurrent_limit=0), TokenStatus.ACCEPTED),
    ],
)
def test_where_a_token_may_be_used(token: IdToken, status: TokenStatus) -> None:
    """At its operator's stations and its sites only, where it has any; nobody asks where none is named."""
    assert judge(token, T0, station=HERE).status is status
    assert judge(token, T0).status in (TokenStatus.ACCEPTED, token.status)


TOKENS = [
    None,
    *(
        IdToken(
            "A", status=status, expires_at=expires, operator_id=owner, sites=sites, concurrent_limit=limit
        )
        for status in (TokenStatus.ACCEPTED, TokenStatus.BLOCKED, TokenStatus.INVALID, TokenStatus.EXPIRED)
        for expires in (None, T0, T0 + SECOND)
        for owner in (None, 7, 8)
        for sites in ((), ("S01",), ("S02",))
        for limit in (0, 1, 3)
    ),
]


@pytest.mark.parametrize("policy", ["accept", "refuse"])
@pytest.mark.parametrize("station", [None, HERE])
def test_an_explanation_is_the_decision(policy: UnknownPolicy, station: ChargingStation | None) -> None:
    """The first question that fails is what the verdict says; none fails where it accepts."""
    said = {"status": None, "expiry": "expired", "operator": "invalid", "site": "invalid"}
    said |= {"concurrent": "concurrent", "known": "unknown"}
    for token in TOKENS:
        for running in (0, 1, 3):
            checks, verdict = explain(token, T0, running, policy, station)
            assert verdict == judge(token, T0, running, policy, station=station)
            failed = [one.name for one in checks if one.passed is False]
            assert len(failed) == (verdict.status is not TokenStatus.ACCEPTED)
            if failed:
                assert verdict.status.value == (said[failed[0]] or (token and token.status.value))


def test_what_was_not_asked_is_not_answered() -> None:
    """After the first no the rest is open; the group decides nothing at a start."""
    checks, _ = explain(IdToken("A", expires_at=T0, group="G"), T0, station=HERE)

    assert [(one.name, one.passed) for one in checks] == [
        ("known", True),
        ("status", True),
        ("expiry", False),
        ("operator", None),
        ("site", None),
        ("concurrent", None),
        ("group", None),
    ]
