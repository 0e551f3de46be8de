"""The next reading of a running session: read, decided and put down without a task or a session of its own.

Nearly all messages are such. Whatever is unusual about one is left to the way of all others (`dispatch`),
which comes to the same for a plain one, in several times the time.
"""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from csms import protocol
from csms.domain.assets import BootStatus
from csms.domain.course import Step
from csms.handlers.context import Services, StationState
from csms.protocol.frames import Call
from csms.store.message_codec import next_reading_row
from csms.store.writer import Done, Write

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Taken(NamedTuple):
    """A reading on its way into the store."""

    transaction_id: str
    step: Step


def take_reading(s: Services, state: StationState, call: Call, done: Done) -> Taken | None:
    """Put the reading down. `done` hears of the commit: then call `stored`, and answer with an empty payload.

    None: it is no plain reading, or there is no room; nothing was done.
    """
    if state.station.boot_status is not BootStatus.ACCEPTED:
        return None
    action, request = call.action, bytes(call.payload)
    told = protocol.read_plain(state.dialect, action, request)
    if told is None:
        return None
    course = state.course(told.transaction_id)
    if course is None:
        return None
    arrived = (s.now() - _EPOCH) // _MICROSECOND
    step = course.step(told, arrived)
    if step is None:
        return None
    known = s.writer.kinds
    for sample in told.samples:
        if sample[0] not in known:
            return None
    row = next_reading_row(course, told, step, arrived, call.message_id, action, request)
    if s.writer.submit(Write(state.station.station_id, state.epoch, (row,)), done):
        return Taken(told.transaction_id, step)
    return None


def stored(s: Services, state: StationState, taken: Taken) -> None:
    """The reading is committed: from now on the session is one further."""
    # Somebody may have asked for the sessions meanwhile, which ends their courses.
    course = state.course(taken.transaction_id)
    if course is not None and course.heard < taken.step.nth:
        course.take(taken.step)
        s.writer.went_on(course)
