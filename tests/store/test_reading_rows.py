"""Readings packed: one row for what a message says of an instant, the same row when it is sent again."""

from csms.domain.meter import Reading
from csms.store.reading_rows import ReadingRow, kind_of, pack, samples_of, unpack
from csms.store.times import micros
from tests.store.given import MINUTE, T0

REGISTER = Reading(T0, "energy.active.import.register", 1_000_500, context="sample.periodic")
POWER = Reading(T0, "power.active.import", 7_000_000)
UNREAD = Reading(T0, "voltage", None, phase="l1", raw='23O "V"')


def test_readings_of_one_instant_are_one_row() -> None:
    """Each value with its kind, and what was sent where that says more."""
    later = REGISTER._replace(at=T0 + MINUTE)

    first, second = ReadingRow.packed(9, 2, (REGISTER, POWER, UNREAD, later), 77)

    assert (first.station_id, first.at, first.evse, first.received_at) == (9, micros(T0), 2, 77)
    kinds = [kind_of(r.measurand, r.phase, r.location, r.context) for r in (REGISTER, POWER, UNREAD)]
    assert list(first.kinds) == kinds
    register, power, voltage = (kind.kind_id for kind in kinds)
    assert samples_of(first.samples) == [
        [register, 1_000_500],
        [power, 7_000_000],
        [voltage, None, '23O "V"'],
    ]
    assert (second.at, samples_of(second.samples)) == (micros(T0 + MINUTE), [[register, 1_000_500]])


def test_a_repeat_is_the_same_row_and_other_values_are_another() -> None:
    """Whenever it arrives: the key is made of what was said."""
    (once,) = ReadingRow.packed(9, 1, (REGISTER, POWER), 1)
    (again,) = ReadingRow.packed(9, 1, (REGISTER, POWER), 2)
    (other,) = ReadingRow.packed(9, 1, (REGISTER, POWER._replace(value=1)), 1)

    assert once[:4] == again[:4]
    assert once[:3] == other[:3]
    assert once.part != other.part


def test_readings_of_a_sessions_message_are_one_text() -> None:
    """Instant by instant, with the kinds that the writer must know."""
    later = REGISTER._replace(at=T0 + MINUTE)

    packed, kinds = pack((REGISTER, POWER, later))

    register, power = (kind.kind_id for kind in kinds)
    assert unpack(packed) == [
        (micros(T0), [[register, 1_000_500], [power, 7_000_000]]),
        (micros(T0 + MINUTE), [[register, 1_000_500]]),
    ]
    assert pack(()) == ("", ())
