"""The envelope against published vectors, and what it refuses."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csms.reporting.tcec.envelope import (
    CHINA,
    BadCiphertext,
    BadEnvelope,
    BadSignature,
    EnvelopeError,
    Keys,
    SeqCounter,
    encrypt,
    local_time,
    moment,
    open_request,
    open_response,
    parse_object,
    read_request,
    seal_request,
    seal_response,
    sign,
    stamp,
    verify,
)

VECTORS = json.loads((Path(__file__).parents[2] / "vectors/city-platform-vectors.json").read_text())
EVERY = [*VECTORS["published"], *VECTORS["derived"]]
REQUESTS = [v for v in EVERY if v["kind"] == "request"]
RESPONSES = [v for v in EVERY if v["kind"] == "response"]
EXAMPLE = "1234567890abcdef"
KEYS = Keys(EXAMPLE, EXAMPLE, EXAMPLE)
OPERATOR = "123456789"


def wire(fields: dict[str, Any]) -> bytes:
    return json.dumps(fields, ensure_ascii=False).encode()


def sealed(text: str = '{"a":1}') -> dict[str, str]:
    return seal_request(KEYS, OPERATOR, text, "20260101120000", "0001")


@pytest.mark.parametrize("vector", REQUESTS, ids=lambda v: v["id"])
def test_request_vector(vector: dict[str, Any]) -> None:
    """A published request opens to its plaintext, and sealing that gives every byte again."""
    opened = open_request(KEYS, wire(vector))

    assert opened.text == vector["plaintext"]
    assert len(opened.text.encode()) == vector["plaintext_bytes"]
    expected = {name: vector[name] for name in ("OperatorID", "Data", "TimeStamp", "Seq", "Sig")}
    assert seal_request(KEYS, opened.operator_id, opened.text, opened.timestamp, opened.seq) == expected


@pytest.mark.parametrize("vector", RESPONSES, ids=lambda v: v["id"])
def test_response_vector(vector: dict[str, Any]) -> None:
    """A published answer opens to its plaintext, and sealing that gives every byte again."""
    opened = open_response(KEYS, wire(vector))

    assert (opened.ret, opened.msg, opened.text) == (vector["Ret"], vector["Msg"], vector["plaintext"])
    expected = {name: vector[name] for name in ("Ret", "Msg", "Data", "Sig")}
    assert seal_response(KEYS, opened.ret, opened.msg, opened.text) == expected


def test_the_standards_own_example_is_not_json() -> None:
    """Annex B ends in a comma: it proves the cipher, and parsing refuses it."""
    with pytest.raises(BadEnvelope):
        parse_object(REQUESTS[0]["plaintext"])


def test_the_page_query_asks_for_page_two() -> None:
    """The third vector's ciphertext says PageNo 2, whatever the page that printed it said."""
    assert parse_object(REQUESTS[2]["plaintext"])["PageNo"] == 2


@given(st.text(), st.text(min_size=1, max_size=40))
def test_a_request_survives_its_envelope(text: str, sig_secret: str) -> None:
    """Any text comes out as it went in."""
    keys = Keys(EXAMPLE, "fedcba0987654321", sig_secret)

    body = wire(seal_request(keys, OPERATOR, text, "20260101120000", "0001"))

    assert open_request(keys, body).text == text


@given(st.integers(-999_999_999, 999_999_999), st.text(), st.none() | st.text(), st.booleans())
def test_a_response_survives_its_envelope(ret: int, msg: str, text: str | None, as_text: bool) -> None:
    """Any answer comes out as it went in, also where Ret is told as text."""
    fields = seal_response(KEYS, ret, msg, text)

    opened = open_response(KEYS, wire({**fields, "Ret": str(ret)} if as_text else fields))

    assert (opened.ret, opened.msg, opened.text) == (ret, msg, text)


@given(st.data())
def test_any_flipped_bit_is_refused(data: st.DataObject) -> None:
    """One bit flipped anywhere in any field's value is noticed."""
    fields = sealed('{"ConnectorID":"北京","Status":3}')
    name = data.draw(st.sampled_from(sorted(fields)))
    place = data.draw(st.integers(0, len(fields[name]) - 1))
    bit = data.draw(st.integers(0, 6))
    value = fields[name]
    fields[name] = value[:place] + chr(ord(value[place]) ^ (1 << bit)) + value[place + 1 :]

    with pytest.raises(EnvelopeError):
        open_request(KEYS, wire(fields))


@given(st.data())
def test_any_flipped_bit_of_an_answer_is_refused(data: st.DataObject) -> None:
    """One bit flipped anywhere in an answer's body is noticed."""
    body = bytearray(wire(seal_response(KEYS, 0, "ok", '{"Status":0}')))
    place = data.draw(st.integers(0, len(body) - 1))
    body[place] ^= 1 << data.draw(st.integers(0, 7))

    with pytest.raises(EnvelopeError):
        open_response(KEYS, bytes(body))


@given(st.binary(max_size=200))
def test_noise_is_refused_with_a_name(noise: bytes) -> None:
    """Whatever comes in, only envelope errors come out."""
    for opening in (open_request, open_response):
        with pytest.raises(EnvelopeError):
            opening(KEYS, noise)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"<html>OK</html>",
        b"\xff",
        b'{"Ret":NaN}',
        b'{"Ret":0,"Ret":0}',
        b"[" * 100_000,
        wire({"Ret": 0, "Msg": "", "Data": ""}),
        wire({"Ret": True, "Msg": "", "Data": "", "Sig": "A" * 32}),
        wire({"Ret": 0.0, "Msg": "", "Data": "", "Sig": "A" * 32}),
        wire({"Ret": "00", "Msg": "", "Data": "", "Sig": "A" * 32}),
        wire({"Ret": None, "Msg": "", "Data": "", "Sig": "A" * 32}),
        wire({"Ret": 10**20, "Msg": "", "Data": "", "Sig": "A" * 32}),
        wire({"Ret": 0, "Msg": 5, "Data": "", "Sig": "A" * 32}),
        wire({"Ret": 0, "Msg": "", "Data": {}, "Sig": "A" * 32}),
        b'{"Ret":0,"Msg":"\\ud800","Data":"","Sig":"A"}',
    ],
)
def test_what_is_no_answer(body: bytes) -> None:
    """Anything that is not the agreed object is called a bad envelope."""
    with pytest.raises(BadEnvelope):
        open_response(KEYS, body)


@pytest.mark.parametrize("name", ["OperatorID", "Data", "TimeStamp", "Seq", "Sig"])
def test_every_field_of_a_request_is_needed(name: str) -> None:
    """A request lacking one of the five, or with a number there, is a bad envelope."""
    fields = sealed()

    for wrong in ({k: v for k, v in fields.items() if k != name}, fields | {name: 1}):
        with pytest.raises(BadEnvelope, match=name):
            open_request(KEYS, wire(wrong))


def test_lower_case_signature_is_not_a_signature() -> None:
    """The standard's signature is upper case."""
    fields = seal_response(KEYS, 0)

    with pytest.raises(BadSignature):
        open_response(KEYS, wire({**fields, "Sig": str(fields["Sig"]).lower()}))


@pytest.mark.parametrize("data", ["?", "AAAA", "AAAAAAAAAAAAAAAAAAAAAA==", encrypt(KEYS, "x")[:-4], "é"])
def test_signed_data_that_is_no_ciphertext(data: str) -> None:
    """Well signed rubbish is named as such."""
    fields = sealed() | {"Data": data}
    fields["Sig"] = sign(KEYS, OPERATOR + data + "20260101120000" + "0001")

    with pytest.raises(BadCiphertext):
        open_request(KEYS, wire(fields))


def test_an_extra_operator_id_is_ignored() -> None:
    """The Xiaoju dialect adds OperatorID to its answers, outside the signature."""
    assert open_response(KEYS, wire({**seal_response(KEYS, 0), "OperatorID": OPERATOR})).ret == 0


@pytest.mark.parametrize("keys", [("short", EXAMPLE, "s"), (EXAMPLE, "x" * 17, "s"), (EXAMPLE, EXAMPLE, "")])
def test_unusable_keys(keys: tuple[str, str, str]) -> None:
    """Keys of the wrong length are refused when they are made."""
    with pytest.raises(BadEnvelope):
        Keys(*keys)


def test_keys_are_never_shown() -> None:
    """A log of the keys shows none of them."""
    assert EXAMPLE not in repr(KEYS)


def test_times_are_chinas() -> None:
    """UTC evening is the next day in Beijing."""
    at = datetime(2017, 12, 31, 16, 0, 1, tzinfo=UTC)

    assert stamp(at) == "20180101000001"
    assert local_time(at) == "2018-01-01 00:00:01"
    with pytest.raises(ValueError, match="zone"):
        stamp(datetime(2018, 1, 1))


def test_seq_counts_within_a_second() -> None:
    """0001 again in each new second."""
    counter, at = SeqCounter(), datetime(2026, 1, 1, 4, 0, 0, 999, tzinfo=UTC)

    taken = [counter.take(at), counter.take(at), counter.take(at + timedelta(seconds=1))]

    assert taken == [("20260101120000", "0001"), ("20260101120000", "0002"), ("20260101120001", "0001")]


@given(st.lists(st.integers(-5, 5), min_size=1, max_size=200))
def test_no_pair_is_given_twice(steps: list[int]) -> None:
    """Whatever the clock does, TimeStamp and Seq only go forward."""
    counter, at, taken = SeqCounter(), datetime(2026, 1, 1, tzinfo=CHINA), []
    for step in steps:
        at += timedelta(seconds=step)
        taken.append(counter.take(at))

    assert taken == sorted(set(taken))


def test_a_full_second_flows_into_the_next() -> None:
    """After 9999 comes the next second's 0001."""
    counter, at = SeqCounter(), datetime(2026, 1, 1, tzinfo=CHINA)
    taken = [counter.take(at) for _ in range(10_000)]

    assert taken[-2:] == [("20260101000000", "9999"), ("20260101000001", "0001")]
    assert len(set(taken)) == 10_000


def test_the_sender_is_known_before_anything_is_believed() -> None:
    """Form first, then the signature, then the contents: each by itself."""
    fields = sealed()
    forged = read_request(wire(fields | {"Data": "AAAA"}))

    assert forged.operator_id == OPERATOR
    with pytest.raises(BadSignature):
        verify(KEYS, forged)
    verify(KEYS, read_request(wire(fields)))


@pytest.mark.parametrize("timestamp", ["20260229120000", "20261301120000", "20260101246000"])
def test_a_stamp_that_is_no_time(timestamp: str) -> None:
    """Fourteen digits are not enough."""
    with pytest.raises(BadEnvelope, match="TimeStamp is no date and time"):
        moment(timestamp)


@given(st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)))
def test_a_stamp_is_the_moment_it_was_made_of(at: datetime) -> None:
    """To the second, in China's time."""
    assert moment(stamp(at)) == at.replace(microsecond=0)
