"""Who may charge: one rule for every OCPP version. Pure; knows no registry."""

from collections.abc import Iterable
from datetime import datetime
from typing import Literal, NamedTuple

from csms.domain.assets import ChargingStation, IdToken, TokenStatus, TokenVerdict
from csms.domain.charging_session import ChargingSession, SessionState
from csms.domain.events import PresentedToken

UnknownPolicy = Literal["accept", "refuse"]
"""What to say of a token nobody registered."""

# 2.x: the station starts without asking for a token (free charging, a start button).
_NEEDS_NONE = "noauthorization"

_REASONS = {
    TokenStatus.BLOCKED: "the token is blocked",
    TokenStatus.EXPIRED: "the token has expired",
    TokenStatus.INVALID: "the token is not valid",
    TokenStatus.UNKNOWN: "the token is not registered",
    TokenStatus.CONCURRENT: "the token is in use",
    TokenStatus.NOT_PRESENTED: "the token is registered as none",
}


ELSEWHERE = "the token may not be used at this charging station"


def fold_token(text: str) -> str:
    """What tokens are compared by: 1.6 CiString and 2.x identifierString do not mind case."""
    return text.casefold()


def judge(
    token: IdToken | None,
    now: datetime,
    others_active: int = 0,
    unknown_policy: UnknownPolicy = "refuse",
    own_retry: bool = False,
    station: ChargingStation | None = None,
) -> TokenVerdict:
    """What a token may do, and why. `token` is None when it is not registered.

    `others_active` are the token's other running sessions (see `running_with`); for a mere Authorize it
    is 0. A retried start (`own_retry`) never meets its own limit. `station` is where it is presented; None
    does not ask whether it may be used there.
    """
    if token is None:
        if unknown_policy == "accept":
            return TokenVerdict(TokenStatus.ACCEPTED, "unknown tokens are accepted here")
        return TokenVerdict(TokenStatus.UNKNOWN, _REASONS[TokenStatus.UNKNOWN])
    status = token.status
    reason = _REASONS.get(status, "")
    if status is TokenStatus.ACCEPTED and token.expires_at is not None and token.expires_at <= now:
        status, reason = TokenStatus.EXPIRED, _REASONS[TokenStatus.EXPIRED]
    elif status is TokenStatus.ACCEPTED and not may_be_used_at(token, station):
        status, reason = TokenStatus.INVALID, ELSEWHERE
    elif status is TokenStatus.ACCEPTED and 0 < token.concurrent_limit <= others_active and not own_retry:
        status = TokenStatus.CONCURRENT
        reason = f"the token has {others_active} of {token.concurrent_limit} sessions running"
    return TokenVerdict(status, reason, token.expires_at, token.group)


def may_be_used_at(token: IdToken, station: ChargingStation | None) -> bool:
    """Whether a token's operator and sites, where it has any, are those of a station."""
    # Most common first: a token of everywhere.
    if station is None or (token.operator_id is None and not token.sites):
        return True
    is_own = token.operator_id in (None, station.operator_id)
    return is_own and (not token.sites or station.site_code in token.sites)


class Check(NamedTuple):
    """One question of a decision. `passed` None: it was not reached, or does not matter here."""

    name: str
    passed: bool | None
    detail: str


def explain(
    token: IdToken | None,
    now: datetime,
    others_active: int = 0,
    unknown_policy: UnknownPolicy = "refuse",
    station: ChargingStation | None = None,
) -> tuple[list[Check], TokenVerdict]:
    """What `judge` says of a start now, and each question on the way to it, in its order."""
    verdict = judge(token, now, others_active, unknown_policy, station=station)
    if token is None:
        known = Check(
            "known", unknown_policy == "accept", f"not registered; unknown tokens: {unknown_policy}"
        )
        return [known], verdict
    expires, limit = token.expires_at, token.concurrent_limit
    asked = [
        Check("known", True, f"registered as {token.token}"),
        Check("status", token.status is TokenStatus.ACCEPTED, f"registered as {token.status.value}"),
        Check("expiry", expires is None or expires > now, _until(expires)),
        *_places(token, station),
        Check(
            "concurrent", not 0 < limit <= others_active, f"{others_active} of {limit or 'any'} sessions run"
        ),
    ]
    if token.status is not TokenStatus.ACCEPTED:
        asked = asked[:2]
    passed = [one.passed is not False for one in asked]
    end = passed.index(False) + 1 if False in passed else len(asked)
    rest = [one._replace(passed=None) for one in asked[end:]]
    group = "none" if token.group is None else f"{token.group}: its tokens may stop each other's sessions"
    return [*asked[:end], *rest, Check("group", None, group)], verdict


def _until(expires: datetime | None) -> str:
    return "never expires" if expires is None else f"valid until {expires.isoformat(timespec='seconds')}"


def _places(token: IdToken, station: ChargingStation | None) -> list[Check]:
    if station is None:
        return [Check("operator", None, "no station was named"), Check("site", None, "no station was named")]
    is_own = token.operator_id in (None, station.operator_id)
    whose = "of every operator" if token.operator_id is None else "of one operator"
    where = "at every site" if not token.sites else f"at {', '.join(token.sites)}"
    return [
        Check(
            "operator", is_own, f"for stations {whose}; this one is of {station.operator_code or 'nobody'}"
        ),
        Check(
            "site",
            not token.sites or station.site_code in token.sites,
            f"may be used {where}; this station is at {station.site_code or 'no site'}",
        ),
    ]


def running_with(sessions: Iterable[ChargingSession], text: str, *, own_start_key: str | None = None) -> int:
    """How many sessions count against the limit of token `text`.

    Its own retry (same start key) does not, nor do sessions that seem to be over or that were refused.
    """
    folded = fold_token(text)
    return sum(
        session.state is SessionState.ACTIVE
        and session.authorization is TokenStatus.ACCEPTED
        and fold_token(session.token) == folded
        and session.start_key != own_start_key
        for session in sessions
    )


def needs_no_token(presented: PresentedToken) -> bool:
    """Whether the station says that this start needs no authorization (C02)."""
    return presented.type.lower() == _NEEDS_NONE


def may_stop(
    starter: str, starter_group: str | None, presented: str, presented_token: IdToken | None
) -> TokenVerdict:
    """Whether a presented token may stop a session: the one that started it, or one of its group (C09)."""
    if fold_token(starter) == fold_token(presented):
        return TokenVerdict(TokenStatus.ACCEPTED, "the token that started the session", group=starter_group)
    if presented_token is None:
        return TokenVerdict(TokenStatus.UNKNOWN, _REASONS[TokenStatus.UNKNOWN])
    group = presented_token.group
    if group is not None and starter_group is not None and fold_token(group) == fold_token(starter_group):
        return TokenVerdict(TokenStatus.ACCEPTED, "a member of the starter's group", group=group)
    return TokenVerdict(TokenStatus.INVALID, "another token started the session", group=group)
