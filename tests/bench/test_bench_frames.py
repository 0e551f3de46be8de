"""The load's frames are what a station may send: read back by another library, checked by the schemas."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from typing import Any

import pytest
from ocpp.messages import Call, validate_payload
from websockets.frames import Frame as LibraryFrame
from websockets.streams import StreamReader

from tests.bench.frames import (
    LIFE_LENGTH,
    LIFE_WH,
    MOST_LIVES,
    SUBPROTOCOL,
    VALUES_PER_LIFE,
    Script,
    mask,
    mask_number,
    mask_token,
)
from tests.bench.process import cpu_s, family, resident_bytes

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


def read_back(data: bytes) -> Any:
    """A client's frame, unmasked by the websockets package, as JSON."""
    reader = StreamReader()
    reader.feed_data(data)
    parsing = LibraryFrame.parse(reader.read_exact, mask=True)
    with pytest.raises(StopIteration) as stopped:
        next(parsing)
    assert reader.buffer == b""
    return json.loads(stopped.value.value.data)


def told(version: str, life: int, number: bytes = b"7") -> list[Any]:
    frames = Script(version, NOW).life(life)
    fills = [mask_token("T-1") if frame.opens_transaction else mask_number(number) for frame in frames]
    return [
        read_back(frame.head + fill + frame.rest if frame.rest else frame.head)
        for frame, fill in zip(frames, fills, strict=True)
    ]


@pytest.mark.parametrize("version", SUBPROTOCOL)
async def test_every_frame_fits_the_published_schema(version: str) -> None:
    """All messages of a life are valid requests of their version."""
    for _, message_id, action, payload in told(version, 3):
        await validate_payload(Call(message_id, action, payload), version)


@pytest.mark.parametrize("version", SUBPROTOCOL)
def test_no_message_repeats_another(version: str) -> None:
    """Neither within a life nor in the next one: no server may answer from memory."""
    messages = [json.dumps(message[1:]) for life in (0, 1) for message in told(version, life)]

    assert len(messages) == 2 * LIFE_LENGTH == len(set(messages))


@pytest.mark.parametrize("number", [b"1", b"2147483647", b"9223372036854775807"])
def test_the_servers_transaction_number_is_put_in(number: bytes) -> None:
    """Meter values and stop carry the number, at any length of it."""
    told_ids = [m[3]["transactionId"] for m in told("1.6", 2, number) if "transactionId" in m[3]]

    assert told_ids == [int(number)] * (VALUES_PER_LIFE + 1)


def test_a_stations_token_is_put_in() -> None:
    """The start carries the station's own token, in both versions."""
    assert told("1.6", 0)[2][3]["idTag"] == "T-1"
    assert told("2.0.1", 0)[2][3]["idToken"]["idToken"] == "T-1"


def test_registers_run_on_from_life_to_life() -> None:
    """A life starts at the register where the one before it stopped, and takes what the benchmark checks."""
    first, second = told("1.6", 0), told("1.6", 1)

    assert first[-1][3]["meterStop"] == second[2][3]["meterStart"] == LIFE_WH


def test_lives_lie_in_the_past_and_end() -> None:
    """The last life is over by the time the load runs; then there are no more."""
    script = Script("2.0.1", NOW)

    last = read_back(script.life(MOST_LIVES - 1)[-1].head)

    assert datetime.fromisoformat(last[3]["timestamp"]) <= NOW
    with pytest.raises(IndexError):
        script.life(MOST_LIVES)


@pytest.mark.parametrize("phase", range(4))
def test_masking_twice_gives_the_same_back(phase: int) -> None:
    """XOR is its own inverse in every phase of the key."""
    assert mask(mask(b"0123456789", phase), phase) == b"0123456789"


def test_a_process_is_seen_working() -> None:
    """This process has used memory and is in its own family; a process that is gone counts nothing."""
    assert os.getpid() in family(os.getpid())
    assert resident_bytes(os.getpid()) > 1_000_000
    assert cpu_s(os.getpid()) > 0
    assert cpu_s(2**22 + 1) == resident_bytes(2**22 + 1) == 0
