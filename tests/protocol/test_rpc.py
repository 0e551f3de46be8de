"""Pairing of calls and replies: frames in, meanings out."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csms.protocol import v16, v201
from csms.protocol.frames import Call, Send
from csms.protocol.rpc import (
    BadFrame,
    CallOutstanding,
    Ignored,
    Limits,
    Repeat,
    Reply,
    ReplyError,
    ReplyNotice,
    Rpc,
    Stray,
)

HEARTBEAT = b'[2,"1","Heartbeat",{}]'


def rpc_16() -> Rpc:
    return Rpc(v16.ERRORS)


def rpc_201() -> Rpc:
    return Rpc(v201.ERRORS)


def rpc_21() -> Rpc:
    return Rpc(v201.ERRORS, has_send=True)


def bad(rpc: Rpc, frame: bytes | str) -> BadFrame:
    with pytest.raises(BadFrame) as caught:
        rpc.receive(frame)
    return caught.value


def error_of(frame: bytes | None) -> tuple[Any, ...]:
    assert frame is not None
    kind, message_id, code, *_ = json.loads(frame)
    return kind, message_id, code


def test_a_call_is_answered_under_its_id() -> None:
    """A call comes out as it went in; bytes and text are the same frame."""
    rpc = rpc_16()

    call = rpc.receive('[2,"é","Heartbeat",{"a":1}]')

    assert isinstance(call, Call)
    assert (call.message_id, call.action, bytes(call.payload)) == ("é", "Heartbeat", b'{"a":1}')
    assert rpc.answer("é", b'{"b":2}') == '[3,"é",{"b":2}]'.encode()


class TestRepeats:
    """R04 to R06: the same id again."""

    def test_same_call_gets_the_same_answer(self) -> None:
        """R04: the stored answer, byte for byte, and nothing is handled again."""
        rpc = rpc_16()
        rpc.receive(HEARTBEAT)
        answer = rpc.answer("1", b'{"currentTime":"x"}')

        assert rpc.receive(HEARTBEAT) == Repeat("1", answer)

    @pytest.mark.parametrize("frame", [b'[2,"1","Heartbeat",{"a":1}]', b'[2,"1","StatusNotification",{}]'])
    def test_another_call_is_refused(self, frame: bytes) -> None:
        """R05: under an id that was used, another payload or action is not applied."""
        rpc = rpc_16()
        rpc.receive(HEARTBEAT)
        rpc.answer("1", b"{}")

        assert error_of(bad(rpc, frame).answer) == (4, "1", "ProtocolError")

    def test_a_running_call_is_executed_once(self) -> None:
        """R06: while the first still runs, the second is ignored, and another payload refused."""
        rpc = rpc_16()
        rpc.receive(HEARTBEAT)

        assert isinstance(rpc.receive(HEARTBEAT), Ignored)
        assert error_of(bad(rpc, b'[2,"1","Heartbeat",{"a":1}]').answer) == (4, "1", "ProtocolError")

    def test_a_refused_call_may_be_tried_again(self) -> None:
        """A CALLERROR is no effect: the same call is handled anew."""
        rpc = rpc_16()
        rpc.receive(HEARTBEAT)
        rpc.refuse("1", "InternalError")

        assert isinstance(rpc.receive(HEARTBEAT), Call)

        rpc.forget("1")

        assert isinstance(rpc.receive(HEARTBEAT), Call)

    def test_the_memory_is_bounded(self) -> None:
        """An id is free again once enough others were answered."""
        rpc = Rpc(v16.ERRORS, limits=Limits(recent_answers=2))
        for n in range(1, 4):
            rpc.receive(b'[2,"%d","Heartbeat",{}]' % n)
            rpc.answer(str(n), b"{}")

        assert isinstance(rpc.receive(b'[2,"3","Heartbeat",{}]'), Repeat)
        assert isinstance(rpc.receive(HEARTBEAT), Call)


class TestOurCalls:
    """Calls to the station."""

    def test_reply(self) -> None:
        """A reply is given back with the action it answers."""
        rpc = rpc_16()

        assert rpc.call("a", "Reset", b'{"type":"Soft"}') == b'[2,"a","Reset",{"type":"Soft"}]'
        assert rpc.outstanding == "a"
        assert rpc.receive(b'[3,"a",{"status":"Accepted"}]') == Reply("a", "Reset", b'{"status":"Accepted"}')
        assert rpc.outstanding is None

    def test_one_at_a_time(self) -> None:
        """Part 4, 4.1.1: the next call waits for the reply."""
        rpc = rpc_16()
        rpc.call("a", "Reset", b"{}")

        with pytest.raises(CallOutstanding):
            rpc.call("b", "Reset", b"{}")

    def test_a_late_reply_is_no_reply_to_the_next_call(self) -> None:
        """R17: pairing is by id, never by order."""
        rpc = rpc_16()
        rpc.call("a", "Reset", b"{}")
        rpc.give_up()
        rpc.call("b", "ClearCache", b"{}")

        assert rpc.receive(b'[3,"a",{}]') == Stray("a")
        assert rpc.receive(b'[4,"a","InternalError","",{}]') == Stray("a")
        assert rpc.receive(b'[3,"b",{}]') == Reply("b", "ClearCache", b"{}")

    def test_refused(self) -> None:
        """R22: any code fails the command; a megabyte of text is cut."""
        rpc = rpc_201()
        rpc.call("a", "Reset", b"{}")

        error = rpc.receive(b'[4,"a","Whatever","' + b"x" * 1_000_000 + b'",{}]')

        assert error == ReplyError("a", "Reset", "Whatever", "x" * 255, b"{}")

    def test_unknown_replies_leave_nothing(self) -> None:
        """R14: what answers nothing is dropped at once."""
        rpc = rpc_16()

        for n in range(1_000):
            assert rpc.receive(b'[3,"%d",{}]' % n) == Stray(str(n))

        assert (len(rpc._recent), len(rpc._running), rpc.outstanding) == (0, 0, None)

    def test_calls_may_cross(self) -> None:
        """R19: a call that arrives while ours is out is served."""
        rpc = rpc_16()
        rpc.call("1", "Reset", b"{}")

        assert isinstance(rpc.receive(HEARTBEAT), Call)
        assert rpc.receive(b'[3,"1",{}]') == Reply("1", "Reset", b"{}")


class TestBadFrames:
    """What the sender hears of a frame that cannot be used."""

    @pytest.mark.parametrize(
        ("frame", "told"),
        [
            (b"nonsense", (4, "-1", "RpcFrameworkError")),
            (b'[2,"x"]', (4, "-1", "RpcFrameworkError")),
            (b'[2,null,"A",{}]', (4, "-1", "RpcFrameworkError")),
            (b'[2,"\\u0000","A",{}]', (4, "-1", "RpcFrameworkError")),
            (b'[2,"1","A",{},1]', (4, "1", "RpcFrameworkError")),
            (b'[9,"1","A",{}]', (4, "1", "MessageTypeNotSupported")),
            (b'[6,"1","A",{}]', (4, "1", "MessageTypeNotSupported")),
            (b'[2,"1","A",{"a":NaN}]', (4, "1", "FormatViolation")),
            ("\ud800", (4, "-1", "RpcFrameworkError")),
        ],
    )
    def test_2x(self, frame: bytes | str, told: tuple[Any, ...]) -> None:
        """R01 to R03, R13 in the words of 2.x."""
        assert error_of(bad(rpc_201(), frame).answer) == told

    @pytest.mark.parametrize("frame", [b"nonsense", b"[]", b'[2,null,"A",{}]', b'[9,"1","A",{}]'])
    def test_16_has_no_word_for_them(self, frame: bytes) -> None:
        """R01: 1.6 knows no error for what is no call; it is only counted."""
        assert bad(rpc_16(), frame).answer is None

    @pytest.mark.parametrize("frame", [b'[2,"1","A",{"a":NaN}]', b'[2,"1","A",{},1]'])
    def test_16_tells_whose_call_it_was(self, frame: bytes) -> None:
        """A call whose id is readable gets its error, so that the station does not wait."""
        assert error_of(bad(rpc_16(), frame).answer) == (4, "1", "FormationViolation")

    @pytest.mark.parametrize("frame", [b'[3,"1"]', b"[3,7,{}]", b'[3,"1",{"a":NaN}]'])
    def test_a_reply_is_never_answered(self, frame: bytes) -> None:
        """R13: a reply that cannot be read is dropped; an error would answer an answer."""
        assert bad(rpc_201(), frame).answer is None

    def test_a_bad_reply_leaves_the_call_waiting(self) -> None:
        """The timeout ends it, or a proper reply does."""
        rpc = rpc_201()
        rpc.call("1", "Reset", b"{}")
        bad(rpc, b'[3,"1"]')

        assert rpc.outstanding == "1"

    def test_the_description_is_bounded(self) -> None:
        """2.x table 7: 255 characters."""
        answer = bad(rpc_201(), b'[2,"1",' + b"7" * 3000 + b",{}]").answer

        assert answer is not None
        assert len(json.loads(answer)[3]) <= 255


class TestVersion21:
    """Message types 5 and 6."""

    def test_send_is_taken(self) -> None:
        """R21: a SEND comes through; there is no way to answer it."""
        send = rpc_21().receive(b'[6,"1","NotifyPeriodicEventStream",{"id":1}]')

        assert isinstance(send, Send)
        assert (send.action, bytes(send.payload)) == ("NotifyPeriodicEventStream", b'{"id":1}')

    def test_send_to_16_is_ignored(self) -> None:
        """R21: unknown types are dropped without a word in 1.6."""
        assert isinstance(rpc_16().receive(b'[6,"1","A",{}]'), Ignored)
        assert isinstance(rpc_16().receive(b'[5,"1","A","",{}]'), Ignored)

    def test_notice(self) -> None:
        """R16: the station could not use our answer."""
        notice = rpc_21().receive(b'[5,"1","FormatViolation","no",{}]')

        assert notice == ReplyNotice("1", "FormatViolation", "no", b"{}")

    def test_we_may_refuse_a_reply(self) -> None:
        """R16: CALLRESULTERROR in 2.1, nothing before."""
        assert error_of(rpc_21().refuse_result("1", "FormatViolation", "x")) == (5, "1", "FormatViolation")
        assert rpc_201().refuse_result("1", "FormatViolation") is None


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["ask", "reply", "give up"])), max_size=40))
def test_each_reply_is_paired_or_stray(steps: list[tuple[str, str]]) -> None:
    """Whatever comes in whatever order: a reply belongs to the call that is out, or to none."""
    rpc, out = rpc_16(), None
    for message_id, step in steps:
        if step == "ask" and out is None:
            rpc.call(message_id, f"Action-{message_id}", b"{}")
            out = message_id
        elif step == "reply":
            reply = rpc.receive(b'[3,"%b",{}]' % message_id.encode())
            if message_id == out:
                assert reply == Reply(message_id, f"Action-{message_id}", b"{}")
                out = None
            else:
                assert reply == Stray(message_id)
        elif step == "give up":
            rpc.give_up()
            out = None
