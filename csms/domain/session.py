"""Charging sessions and their rules under one name: what handlers and stores import.

`begin` and `apply` for messages, `suspect` and `close_suspected` for ends that no message tells, `match_*`
and `merge_orphan` for messages that name no session.
"""

from csms.domain.charging_session import (
    Change,
    ChargingSession,
    Evidence,
    Message,
    MessageInfo,
    SessionMessage,
    SessionState,
    evolve,
)
from csms.domain.clock import effective_time
from csms.domain.ending import close_suspected, superseded, suspect
from csms.domain.orphans import match_orphan, match_running, match_stop, merge_orphan
from csms.domain.quality import EnergySource, Flag
from csms.domain.recognition import SessionEvent, is_known, is_reused, needs_history, start_key
from csms.domain.registers import MeterState, Register
from csms.domain.sequence import SequenceState
from csms.domain.transitions import apply, begin

__all__ = [
    "Change",
    "ChargingSession",
    "EnergySource",
    "Evidence",
    "Flag",
    "Message",
    "MessageInfo",
    "MeterState",
    "Register",
    "SequenceState",
    "SessionEvent",
    "SessionMessage",
    "SessionState",
    "apply",
    "begin",
    "close_suspected",
    "effective_time",
    "evolve",
    "is_known",
    "is_reused",
    "match_orphan",
    "match_running",
    "match_stop",
    "merge_orphan",
    "needs_history",
    "start_key",
    "superseded",
    "suspect",
]
