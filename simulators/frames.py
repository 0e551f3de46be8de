"""Words for what a charging station has to tell, in the OCPP version it speaks. Pure tables.

Knows the framing of OCPP-J (message types 2 to 4) and which table belongs to
which version; the payloads are written in `frames_v16` and `frames_v2`.
"""

from __future__ import annotations

import json
from typing import Any

from simulators import frames_v2, frames_v16
from simulators.facts import Fact
from simulators.traits import Told, Traits, TransactionIds, Writer

CALL, CALLRESULT, CALLERROR = 2, 3, 4

WORDS: dict[str, dict[type, Writer]] = {
    "1.6": frames_v16.WORDS,
    "2.0.1": frames_v2.WORDS_201,
    "2.1": frames_v2.WORDS_21,
}
NOT_IMPLEMENTED = "NotImplemented"
FORMAT_VIOLATION = {"1.6": "FormationViolation", "2.0.1": "FormatViolation", "2.1": "FormatViolation"}


def word(fact: Fact, traits: Traits, ids: TransactionIds) -> Told | None:
    """The CALL that tells a fact, or None where this version has nothing to say about it.

    Raises KeyError for a 1.6 transaction message whose transaction id is not
    known yet: the caller keeps the order, so that cannot happen in turn.
    """
    writer = WORDS[traits.version].get(type(fact))
    return writer(fact, traits, ids) if writer else None


def call(message_id: str, told: Told) -> str:
    """A CALL as text."""
    return _text([CALL, message_id, told.action, told.payload])


def result(message_id: str, payload: dict[str, Any]) -> str:
    """A CALLRESULT as text."""
    return _text([CALLRESULT, message_id, payload])


def error(message_id: str, code: str, what: str = "") -> str:
    """A CALLERROR as text."""
    return _text([CALLERROR, message_id, code, what, {}])


def _text(frame: list[Any]) -> str:
    return json.dumps(frame, separators=(",", ":"), ensure_ascii=False)
