"""Readings packed into texts and rows, and taken out again. Knows the rows' columns; no statement.

Stations send ten values at a time, and a row for each of them costs more than all the rest of the message.
So what a message said of one instant is one JSON array of [kind, value] or [kind, value, raw]. The readings
of a session lie in the row of their message (`pack`); those of no session in rows of their own. Whoever reads
takes the first of equal values (`readings`).
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple
from zlib import crc32

import msgspec

from csms.domain.meter import Reading, kind_number
from csms.store.times import micros

_encode = msgspec.json.Encoder().encode
Samples = list[list[Any]]
"""Kind, value, and raw where there is one."""

samples_of = msgspec.json.Decoder(Samples).decode
"""The samples of a row of `readings`."""

unpack = msgspec.json.Decoder(list[tuple[int, Samples]]).decode
"""What `pack` made: the samples of each instant (in microseconds)."""


class ReadingKind(NamedTuple):
    """What a reading measures. `kind_id` is made from the words: every process gives the same."""

    kind_id: int
    measurand: str
    phase: str
    location: str
    context: str


@lru_cache(maxsize=4096)
def kind_of(measurand: str, phase: str, location: str, context: str) -> ReadingKind:
    """The kind of these words."""
    number = kind_number(measurand, phase, location, context)
    return ReadingKind(number, measurand, phase, location, context)


def pack(readings: Iterable[Reading]) -> tuple[str, tuple[ReadingKind, ...]]:
    """The readings of one message as a text, and their kinds. ('', ()) for none."""
    kinds: dict[ReadingKind, None] = {}
    together = [(micros(at), _samples(some, kinds)) for at, some in _by_instant(readings).items()]
    return (_encode(together).decode(), tuple(kinds)) if together else ("", ())


class ReadingRow(NamedTuple):
    """Values of one instant that came together, of no session.

    `part` is made from the samples: the same ones again are the same row. `kinds` are those of the samples,
    for the writer: they are rows of another table.
    """

    station_id: int
    at: int
    evse: int
    part: int
    samples: str
    received_at: int
    kinds: tuple[ReadingKind, ...]

    @classmethod
    def of(cls, station_id: int, evse: int, reading: Reading, arrived: datetime) -> "ReadingRow":
        """One reading of the station's EVSE."""
        return cls.packed(station_id, evse, (reading,), micros(arrived))[0]

    @classmethod
    def packed(
        cls, station_id: int, evse: int, readings: Iterable[Reading], received_at: int
    ) -> list["ReadingRow"]:
        """The readings of one message: a row for each instant. `received_at` in microseconds."""
        rows = []
        for at, some in _by_instant(readings).items():
            kinds: dict[ReadingKind, None] = {}
            text = _encode(_samples(some, kinds))
            rows.append(
                cls(station_id, micros(at), evse, crc32(text), text.decode(), received_at, tuple(kinds))
            )
        return rows


def _by_instant(readings: Iterable[Reading]) -> dict[datetime, list[Reading]]:
    together: dict[datetime, list[Reading]] = {}
    for reading in readings:
        together.setdefault(reading.at, []).append(reading)
    return together


def _samples(readings: Sequence[Reading], kinds: dict[ReadingKind, None]) -> list[tuple[Any, ...]]:
    samples: list[tuple[Any, ...]] = []
    for _, measurand, value, phase, location, context, raw in readings:
        kind = kind_of(measurand, phase, location, context)
        kinds[kind] = None
        samples.append((kind[0], value) if raw is None else (kind[0], value, raw))
    return samples
