"""What a message can be refused for before its payload is looked at. No socket, no state of its own."""

import structlog

from csms.gateway.desk import Parts, Refused
from csms.handlers.context import StationState

log = structlog.get_logger()

MOST_NAME = 64  # characters of an unknown action that are kept
BIG = ("Notify", "Report")  # reports come in parts whose size the station chooses


def refuse_early(parts: Parts, state: StationState, action: str, size: int) -> None:
    """Raise Refused when the station may not send this action, nobody reads it, or it is too big.

    `size`: bytes of the whole frame. The gate comes first: a station that is not accepted hears
    SecurityError, whatever it sends (B02.FR.09).
    """
    errors = state.dialect.errors
    if (why := parts.desk.gate(state, action)) is not None:
        raise Refused(errors.security or errors.generic, why)
    if action not in state.dialect.read:
        _refuse_action(parts, state, action)
    if size <= parts.settings.max_small_message_bytes:
        return
    if action not in state.dialect.transaction_actions and not action.startswith(BIG):
        log.warning("message_too_big", station=state.station.identity, action=action, bytes=size)
        raise Refused(errors.property_constraint, f"the message has {size} bytes")


def _refuse_action(parts: Parts, state: StationState, action: str) -> None:
    errors, name = state.dialect.errors, action[:MOST_NAME]
    known = action in state.dialect.known_actions
    if parts.stats.is_first(state.station.identity, name):
        log.info("action_refused", station=state.station.identity, action=name, known=known)
    if known:
        raise Refused(errors.not_supported, "this action is not supported")
    raise Refused(errors.not_implemented, "there is no such action")
