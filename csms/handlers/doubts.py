"""What a station is asked of its own sessions after a message (OCPP use case E14). When, the domain says.

That a session is asked about is stored with what the message changed of it, so no reconnection, node or
restart asks again. What is answered comes back as a `NoteTransaction` between two messages (`amendments`).
"""

from dataclasses import replace
from datetime import datetime

from csms.domain.charging_session import Change, ChargingSession
from csms.domain.commands import AskTransaction
from csms.domain.doubts import ask_after, ask_on_return
from csms.handlers.context import Handled, StationState


def with_questions(state: StationState, handled: Handled, now: datetime) -> Handled:
    """`handled`, and whatever the station is to be asked because of it, or because it has come back."""
    changes, questions = list[Change](), list[AskTransaction]()
    for change in handled.changes:
        asked = _asked(state, change, now)
        changes.append(change if asked is None else change._replace(session=asked))
        questions += _about(asked)
    if not state.has_spoken:
        told = {change.session.session_id for change in changes}
        for session in state.sessions.values():
            asked = None if session.session_id in told else ask_on_return(session, now)
            changes += [] if asked is None else [Change(asked)]
            questions += _about(asked)
    if not questions:
        return handled
    return replace(handled, changes=tuple(changes), follow_ups=(*handled.follow_ups, *questions))


def _asked(state: StationState, change: Change, now: datetime) -> ChargingSession | None:
    if change.is_repeat:
        return None
    asked = ask_after(_before(state, change.session), change.session, now)
    return asked if asked is not None or state.has_spoken else ask_on_return(change.session, now)


def _about(session: ChargingSession | None) -> list[AskTransaction]:
    return [] if session is None else [AskTransaction(session.transaction_id)]


def _before(state: StationState, session: ChargingSession) -> ChargingSession | None:
    before = state.recall(session.transaction_id)
    return before if before is not None and before.session_id == session.session_id else None
