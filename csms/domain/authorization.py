"""Who may charge: one rule for every OCPP version. Pure; knows no registry."""

from collections.abc import Iterable
from datetime import datetime
from typing import Literal

from csms.domain.assets import IdToken, TokenStatus, TokenVerdict
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


def fold_token(text: str) -> str:
    """What tokens are compared by: 1.6 CiString and 2.x identifierString do not mind case."""
    return text.casefold()


def judge(
    token: IdToken | None,
    now: datetime,
    others_active: int = 0,
    unknown_policy: UnknownPolicy = "refuse",
    own_retry: bool = False,
) -> TokenVerdict:
    """What a token may do, and why. `token` is None when it is not registered.

    `others_active` are the token's other running sessions (see `running_with`); for a mere Authorize it
    is 0. A retried start (`own_retry`) never meets its own limit.
    """
    if token is None:
        if unknown_policy == "accept":
            return TokenVerdict(TokenStatus.ACCEPTED, "unknown tokens are accepted here")
        return TokenVerdict(TokenStatus.UNKNOWN, _REASONS[TokenStatus.UNKNOWN])
    status = token.status
    reason = _REASONS.get(status, "")
    if status is TokenStatus.ACCEPTED and token.expires_at is not None and token.expires_at <= now:
        status, reason = TokenStatus.EXPIRED, _REASONS[TokenStatus.EXPIRED]
    elif status is TokenStatus.ACCEPTED and others_active >= token.concurrent_limit and not own_retry:
        status = TokenStatus.CONCURRENT
        reason = f"the token has {others_active} of {token.concurrent_limit} sessions running"
    return TokenVerdict(status, reason, token.expires_at, token.group)


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
