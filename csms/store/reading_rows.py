"""Readings packed into rows and taken out again. Knows the row's columns; no statement.

What a message said of one instant is one row: stations send ten values at a time, and a row for each of them
costs more than all the rest of the message. `samples` is a JSON array of [kind, value] or [kind, value, raw].
A retried message makes the same row; another message about the same instant makes another row, and whoever
reads takes the first of equal values (`readings`).
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import lru_cache
from hashlib import blake2b
from typing import Any, NamedTuple
from zlib import crc32

import msgspec

from csms.domain.meter import Reading
from csms.store.times import micros

_encode = msgspec.json.Encoder().encode
samples_of = msgspec.json.Decoder(list[list[Any]]).decode
"""The samples of a row: kind, value, and raw where there is one."""


class ReadingKind(NamedTuple):
    """What a reading measures. `kind_id` is made from the words: every process gives the same."""

    kind_id: int
    measurand: str
    phase: str
    location: str
    context: str


@lru_cache(maxsize=4096)
def kind_of(measurand: str, phase: str, location: str, context: str) -> ReadingKind:
    """The kind of these words. 47 bits: a clash among a thousand kinds has a chance of 1 in 10^8."""
    text = "\0".join((measurand, phase, location, context)).encode()
    number = int.from_bytes(blake2b(text, digest_size=6).digest(), "big") >> 1
    return ReadingKind(number, measurand, phase, location, context)


class ReadingRow(NamedTuple):
    """Values of one instant that came together. `owner_id`: a session, or minus a station.

    `part` is made from the samples: the same ones again are the same row. `kinds` are those of the samples,
    for the writer: they are rows of another table.
    """

    owner_id: int
    at: int
    evse: int
    part: int
    samples: str
    received_at: int
    kinds: tuple[ReadingKind, ...]

    @classmethod
    def of(
        cls,
        station_id: int,
        evse: int,
        reading: Reading,
        arrived: datetime,
        session_id: int | None = None,
    ) -> "ReadingRow":
        """A reading of `session_id`, or of the station's EVSE when it belongs to no session."""
        owner_id = -station_id if session_id is None else session_id
        return cls._of(owner_id, evse, (reading,), micros(arrived))

    @classmethod
    def packed(
        cls, owner_id: int, evse: int, readings: Iterable[Reading], received_at: int
    ) -> list["ReadingRow"]:
        """The readings of one message: a row for each instant. `received_at` in microseconds."""
        together: dict[datetime, list[Reading]] = {}
        for reading in readings:
            together.setdefault(reading.at, []).append(reading)
        return [cls._of(owner_id, evse, some, received_at) for some in together.values()]

    @classmethod
    def _of(cls, owner_id: int, evse: int, readings: Sequence[Reading], received_at: int) -> "ReadingRow":
        kinds, samples = [], []
        for _, measurand, value, phase, location, context, raw in readings:
            kind = kind_of(measurand, phase, location, context)
            kinds.append(kind)
            samples.append((kind[0], value) if raw is None else (kind[0], value, raw))
        text = _encode(samples)
        row = (
            owner_id,
            micros(readings[0].at),
            evse,
            crc32(text),
            text.decode(),
            received_at,
            tuple(kinds),
        )
        # A third of the time of `cls(...)`; thousands of these are made a second.
        return tuple.__new__(cls, row)
