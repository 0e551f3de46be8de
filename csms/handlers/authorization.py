"""Who may charge (OCPP functional block C). One rule for every version; the rule itself is the domain's."""

from csms.domain.answers import TokenAnswer
from csms.domain.assets import ChargingStation, TokenStatus, TokenVerdict
from csms.domain.authorization import fold_token, judge, may_stop, needs_no_token
from csms.domain.charging_session import ChargingSession
from csms.domain.events import PresentedToken, TokenPresented
from csms.handlers.context import Handled, MessageInfo, Services, StationState


async def on_token_presented(
    s: Services, state: StationState, event: TokenPresented, info: MessageInfo
) -> Handled:
    """Authorize. Nothing is stored: the message log keeps it, and a session repeats the verdict."""
    token = await s.registry.token(event.token.text)
    unknown = s.settings.sessions.unknown_tokens
    return Handled(TokenAnswer(judge(token, s.now(), 0, unknown, station=state.station)))


async def verdict_on(
    s: Services, station: ChargingStation, presented: PresentedToken | None, own_session: int | None = None
) -> TokenVerdict:
    """What a token may do in a session that starts now, or has: `own_session` is not another one."""
    if presented is None or not presented.text or needs_no_token(presented):
        return TokenVerdict(TokenStatus.ACCEPTED, "the station needs no token for this start")
    token, running = await s.registry.token_use(presented.text, except_session=own_session)
    return judge(token, s.now(), running, s.settings.sessions.unknown_tokens, station=station)


async def verdict_on_stop(
    s: Services, session: ChargingSession | None, presented: PresentedToken | None
) -> TokenVerdict | None:
    """What to tell of the token that stopped a session: a stop that happened is never refused.

    The station takes it for what the token may do from now on (1.6 3.5.1, C10): a token that is blocked
    must not become an accepted one because it stopped its own session.
    """
    if presented is None or not presented.text:
        return None
    is_starter = session is not None and fold_token(session.token) == fold_token(presented.text)
    # Most common first: whoever started it and was let in, which needs no look into the registry.
    if session is not None and is_starter and session.authorization is TokenStatus.ACCEPTED:
        return may_stop(session.token, None, presented.text, None)
    token = await s.registry.token(presented.text)
    if session is None or is_starter or not session.token:
        return judge(token, s.now(), 0, s.settings.sessions.unknown_tokens)
    starter = await s.registry.token(session.token)
    return may_stop(session.token, starter.group if starter else None, presented.text, token)
