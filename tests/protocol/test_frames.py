"""Frames as bytes."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from csms.protocol import frames
from csms.protocol.frames import Fault

DEEP = b"[" * 100_000 + b"]" * 100_000


def test_reads_each_message_type() -> None:
    """Types 2 to 6 become their classes; payloads stay raw."""
    call = frames.read(b'[2,"1","Heartbeat",{"a":1}]')

    assert isinstance(call, frames.Call)
    assert (call.message_id, call.action, bytes(call.payload)) == ("1", "Heartbeat", b'{"a":1}')
    assert isinstance(frames.read(b'[3,"1",{}]'), frames.CallResult)
    assert isinstance(frames.read(b'[4,"1","GenericError","",{}]'), frames.CallError)
    assert isinstance(frames.read(b'[5,"1","GenericError","",{}]'), frames.CallResultError)
    assert isinstance(frames.read(b'[6,"1","NotifyPeriodicEventStream",{}]'), frames.Send)


@pytest.mark.parametrize(
    ("frame", "texts"),
    [
        (b'[4,"1","GenericError","no",{"a":1}]', ("GenericError", "no", b'{"a":1}')),
        (b'[4,"1"]', ("", "", b"{}")),
        (b'[4,"1",null,7]', ("null", "7", b"{}")),
        (b'[4,"1","a\\u0000b","",{},"surplus"]', ("ab", "", b"{}")),
        (b'[4,"1","' + b"x" * 300 + b'","",{"big":"' + b"y" * 5000 + b'"}]', ("x" * 255, "", b"{}")),
    ],
)
def test_errors_are_read_however_they_are_written(frame: bytes, texts: tuple[str, str, bytes]) -> None:
    """R22: a short, odd or huge CALLERROR still says which call failed; its texts are cut."""
    error = frames.read(frame)

    assert isinstance(error, frames.CallError)
    assert error.texts(255) == texts


@pytest.mark.parametrize(
    ("frame", "fault", "message_id"),
    [
        # R01
        (b"", Fault.UNREADABLE, "-1"),
        (b"hello", Fault.UNREADABLE, "-1"),
        (b'[2,"1","Heartb', Fault.UNREADABLE, "-1"),
        (b'[2,"1","Heartbeat",{', Fault.UNREADABLE, "-1"),
        (b"{}", Fault.UNREADABLE, "-1"),
        (b"[]", Fault.UNREADABLE, "-1"),
        (b"[2]", Fault.UNREADABLE, "-1"),
        (b'[2,"x"]', Fault.UNREADABLE, "-1"),
        (b"null", Fault.UNREADABLE, "-1"),
        (b"7", Fault.UNREADABLE, "-1"),
        (b'"s"', Fault.UNREADABLE, "-1"),
        # R02
        (b'[0,"1","A",{}]', Fault.TYPE, "1"),
        (b'[9,"1","A",{}]', Fault.TYPE, "1"),
        (b'[-1,"1","A",{}]', Fault.TYPE, "1"),
        (b'["2","1","A",{}]', Fault.TYPE, "1"),
        (b'[2.0,"1","A",{}]', Fault.TYPE, "1"),
        (b'[true,"1","A",{}]', Fault.TYPE, "1"),
        (b"[9]", Fault.TYPE, "-1"),
        # R03
        (b'[2,1,"A",{}]', Fault.UNREADABLE, "-1"),
        (b'[2,null,"A",{}]', Fault.UNREADABLE, "-1"),
        (b'[2,"","A",{}]', Fault.UNREADABLE, "-1"),
        (b'[2,"' + b"x" * 37 + b'","A",{}]', Fault.UNREADABLE, "-1"),
        # R13
        (b'[2,"1","A",{},1]', Fault.SHAPE, "1"),
        (b'[2,"1",7,{}]', Fault.SHAPE, "1"),
        (b'[3,"1"]', Fault.REPLY, "1"),
        (b"[4]", Fault.REPLY, "-1"),
        # J01, J04, J06, J08
        (b'[2,"1","A",' + DEEP + b"]", Fault.PAYLOAD, "1"),
        (b'[2,"1","A",{"a":NaN}]', Fault.PAYLOAD, "1"),
        (b'[2,"1","A",{"a":-Infinity}]', Fault.PAYLOAD, "1"),
        (b'[2,"1","A",{"a":"\x01"}]', Fault.PAYLOAD, "1"),
        (b'[2,"1","A",{a:1}]', Fault.PAYLOAD, "1"),
        (b'[3,"1",{"a":NaN}]', Fault.REPLY, "1"),
        (b'\xef\xbb\xbf[2,"1","A",{}]', Fault.UNREADABLE, "-1"),
        (b'[2,"1","A",{}] x', Fault.UNREADABLE, "-1"),
        (b'[2,"\\ud800","A",{"a":NaN}]', Fault.UNREADABLE, "-1"),
        (b'[2,"\\u0000","A",{"a":NaN}]', Fault.UNREADABLE, "-1"),
    ],
)
def test_says_what_is_wrong(frame: bytes, fault: Fault, message_id: str) -> None:
    """A frame that cannot be read has one fault, and an id where one can be told for certain."""
    with pytest.raises(frames.UNREADABLE):
        frames.read(frame)

    assert frames.diagnose(frame) == (fault, message_id)


@given(st.binary(max_size=60) | st.text(max_size=40).map(lambda text: f'[2,"{text}","A",{{}}]'.encode()))
def test_never_fails_otherwise(frame: bytes) -> None:
    """Any bytes are a frame or have a fault."""
    try:
        frames.read(frame)
    except frames.UNREADABLE:
        assert frames.diagnose(frame)[0] in Fault


@given(st.text(min_size=1, max_size=36), st.dictionaries(st.text(), st.integers(), max_size=3))
def test_writes_what_it_reads(message_id: str, payload: dict[str, Any]) -> None:
    """A call written is the call read, whatever is in its id."""
    raw = msgspec.json.encode(payload)

    call = frames.read(frames.call(message_id, "DataTransfer", raw))

    assert isinstance(call, frames.Call)
    assert (call.message_id, call.action, bytes(call.payload)) == (message_id, "DataTransfer", raw)


def test_writing_an_error_cannot_fail() -> None:
    """CVE-2025-59399: what cannot be written is left out, for a second error would end the connection."""
    frame = frames.call_error("\ud800", "InternalError", 'a "quote"\ud800\0', {"why": object()})

    assert json.loads(frame) == [4, "?", "InternalError", 'a "quote"?\0', {}]
    assert frames.call_error("1", "A", "", {"a": 1}) == b'[4,"1","A","",{"a":1}]'
    assert frames.call_result_error("1", "A", "b") == b'[5,"1","A","b",{}]'
    assert frames.call_result("1", b"{}") == b'[3,"1",{}]'
