"""Payloads by action: decoding, checking, encoding."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from csms.domain.assets import OcppVersion
from csms.errors import InvalidInput
from csms.protocol import schema
from csms.protocol.repairs import PayloadRefused, Reason

V16, V201, V21 = OcppVersion


def why(version: OcppVersion, action: str, raw: bytes) -> Reason:
    with pytest.raises(PayloadRefused) as caught:
        schema.decode(version, action, raw)
    return caught.value.reason


def data_transfer(data: bytes) -> bytes:
    return b'{"vendorId":"v","data":' + data + b"}"


def test_good_payloads_have_no_findings() -> None:
    """Attributes have the schema's names; what is absent is None."""
    struct, findings = schema.decode(V16, "Authorize", b'{"idTag":"A1"}')
    assert (struct.idTag, findings) == ("A1", ())

    struct, findings = schema.decode(
        V21, "NotifyPeriodicEventStream", b'{"id":1,"pending":0,"basetime":"x","data":[{"t":1,"v":"2"}]}'
    )
    assert (struct.data[0].v, findings) == ("2", ())


@pytest.mark.parametrize(
    ("version", "count", "some"),
    [
        (V16, 39, {"Heartbeat", "SignedFirmwareStatusNotification", "ExtendedTriggerMessage"}),
        (V201, 64, {"TransactionEvent", "NotifyReport"}),
        (V21, 91, {"TransactionEvent", "NotifyPeriodicEventStream", "BatterySwap"}),
    ],
)
def test_actions(version: OcppVersion, count: int, some: set[str]) -> None:
    """Every action of a version, in either direction; no response and no request counts as one."""
    actions = schema.actions(version)

    assert len(actions) == count
    assert some <= actions
    assert not [action for action in actions if action.endswith(("Request", "Response"))]


def test_every_action_can_be_built() -> None:
    """The whole package is understood."""
    for version in OcppVersion:
        schema.preload(version, schema.actions(version))


@pytest.mark.parametrize("action", ["heartbeat", "HeartbeatRequest", "__init__", "", "../v16/Heartbeat"])
def test_unknown_actions(action: str) -> None:
    """R07: names are taken literally, and never become file names."""
    with pytest.raises(InvalidInput):
        schema.message(V16, action)


class TestHostilePayloads:
    """J rows."""

    @pytest.mark.parametrize("depth", [31, 100, 900, 1_000, 100_000])
    def test_depth(self, depth: int) -> None:
        """J01: nesting beyond 32, counting the frame, is refused; 32 is not."""
        assert why(V201, "DataTransfer", data_transfer(b"[" * depth + b"]" * depth)) is Reason.MALFORMED
        assert why(V16, "Heartbeat", b'{"a":' * (depth + 1) + b"1" + b"}" * (depth + 1)) is Reason.MALFORMED

        schema.decode(V201, "DataTransfer", data_transfer(b"[" * 30 + b"]" * 30))

    @pytest.mark.parametrize("number", ["9" * 5_000, "9223372036854775808", "-9223372036854775809", "1e400"])
    def test_numbers_out_of_range(self, number: str) -> None:
        """J02, J03: a constraint error, not a crash."""
        raw = b'{"transactionId":%b,"meterStop":1,"timestamp":""}' % number.encode()

        assert why(V16, "StopTransaction", raw) is Reason.TYPE

    def test_largest_number(self) -> None:
        """MH#617: a real charger's transaction id."""
        raw = b'{"transactionId":9223372036854775807,"meterStop":1,"timestamp":""}'

        assert schema.decode(V16, "StopTransaction", raw)[0].transactionId == 2**63 - 1

    @pytest.mark.parametrize(
        "text",
        [
            b"\\ud800",
            b"\\udc00x",
            b"a\\u0000b",
            b"\\u0000",
            b"\\\\\\u0000",
            b"\x01",
            b"\xff",
            b"\xc0\xaf",
            b"\xed\xa0\x80",
        ],
    )
    def test_texts_no_database_takes(self, text: bytes) -> None:
        """J06, J07, J08: lone surrogates, NUL, raw control characters, bytes that are no UTF-8."""
        assert why(V16, "Authorize", b'{"idTag":"%b"}' % text) is Reason.MALFORMED
        assert why(V201, "DataTransfer", data_transfer(b'{"deep":["%b"]}' % text)) is Reason.MALFORMED

    def test_the_letters_of_nul_are_no_nul(self) -> None:
        """A backslash that is itself written with a backslash escapes nothing."""
        assert schema.decode(V16, "Authorize", b'{"idTag":"a\\\\u0000"}')[0].idTag == "a\\u0000"

    @pytest.mark.parametrize(
        "raw", [b'{"idTag":NaN}', b'{"idTag":"a"} x', b"", b"{", b'\xef\xbb\xbf{"idTag":"a"}']
    )
    def test_no_json(self, raw: bytes) -> None:
        """J04, J08: what is not JSON is malformed."""
        assert why(V16, "Authorize", raw) is Reason.MALFORMED

    def test_last_duplicate_wins_on_either_path(self) -> None:
        """J05: one rule for typed decoding and for repairs."""
        assert schema.decode(V16, "Authorize", b'{"idTag":"a","idTag":"b"}')[0].idTag == "b"
        assert schema.decode(V16, "Authorize", b'{"idTag":"a","idTag":"b","more":1}')[0].idTag == "b"

    def test_too_many_of_anything(self) -> None:
        """Elements and keys are bounded where no schema bounds them."""
        keys = json.dumps({str(n): n for n in range(2_000)}).encode()

        assert why(V201, "DataTransfer", data_transfer(json.dumps([0] * 20_000).encode())) is Reason.PROPERTY
        assert why(V201, "DataTransfer", data_transfer(keys)) is Reason.PROPERTY

    @settings(max_examples=200, deadline=None)
    @given(
        st.sampled_from([(V16, "MeterValues"), (V201, "TransactionEvent"), (V16, "BootNotification")]),
        st.recursive(
            st.none()
            | st.booleans()
            | st.integers()
            | st.floats(allow_nan=False, allow_infinity=False)
            | st.text(),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(
                    st.sampled_from(["connectorId", "meterValue", "timestamp", "sampledValue", "value", "x"]),
                    inner,
                    max_size=4,
                )
            ),
            max_leaves=12,
        ),
    )
    def test_any_payload_is_decoded_or_refused(self, message: tuple[OcppVersion, str], payload: Any) -> None:
        """Nothing else can come out, whatever goes in."""
        with suppress(PayloadRefused):
            schema.decode(*message, json.dumps(payload).encode())


class TestResponses:
    """Stations' answers to our calls."""

    def test_as_it_came(self) -> None:
        """A usable answer is given on with everything in it."""
        raw = b'{"status":"Accepted","customData":{"vendorId":"v","more":1}}'

        assert schema.decode_response(V201, "Reset", raw) == (json.loads(raw), ())

    def test_put_right(self) -> None:
        """A word in other case must not fail a command that was carried out."""
        payload, findings = schema.decode_response(V16, "Reset", b'{"status":"accepted","x":1}')

        assert payload == {"status": "Accepted"}
        assert len(findings) == 2

    def test_useless(self) -> None:
        """R16: an answer without its status is none."""
        with pytest.raises(PayloadRefused):
            schema.decode_response(V16, "Reset", b"{}")

    def test_more_decimals_than_allowed(self) -> None:
        """1.6 wants tenths; a station that answers hundredths is understood."""
        schedule = {"chargingRateUnit": "A", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 21.44}]}
        raw = json.dumps({"status": "Accepted", "chargingSchedule": schedule}).encode()

        assert schema.decode_response(V16, "GetCompositeSchedule", raw)[1] == ()
        assert len(schema.decode_response(V16, "GetCompositeSchedule", raw[:-1] + b',"x":1}')[1]) == 2


class TestChecks:
    """What we send ourselves."""

    def test_good(self) -> None:
        """Silence is consent."""
        schema.check_request(V16, "Reset", {"type": "Hard"})
        schema.check_response(V16, "Heartbeat", {"currentTime": "2026-01-01T12:00:00.000Z"})

    @pytest.mark.parametrize(
        ("payload", "says"),
        [
            ({"type": "hard"}, "Reset: type: 'hard' is not one of"),
            ({}, "Reset: payload: 'type' is a required property"),
            ({"type": "Hard", "evseId": 1}, "Additional properties are not allowed"),
            ({"type": None}, "None is not"),
            ({"type": object()}, "Reset"),
            ([], "[] is not of type 'object'"),
        ],
    )
    def test_bad(self, payload: Any, says: str) -> None:
        """The complaint names action, place and fault."""
        with pytest.raises(InvalidInput) as caught:
            schema.check_request(V16, "Reset", payload)

        assert says in str(caught.value)

    @pytest.mark.parametrize(
        ("limit", "good"), [(21.4, True), (0.3, True), (16, True), (4.11, False), (1e300, False)]
    )
    def test_tenths(self, limit: float, good: bool) -> None:
        """1.6 limits have one decimal; binary fractions must not spoil the check."""
        period = {"startPeriod": 0, "limit": limit}
        profile = {
            "chargingProfileId": 1,
            "stackLevel": 0,
            "chargingProfilePurpose": "TxProfile",
            "chargingProfileKind": "Absolute",
            "chargingSchedule": {"chargingRateUnit": "A", "chargingSchedulePeriod": [period]},
        }
        payload = {"connectorId": 1, "csChargingProfiles": profile}

        if good:
            schema.check_request(V16, "SetChargingProfile", payload)
        else:
            with pytest.raises(InvalidInput):
                schema.check_request(V16, "SetChargingProfile", payload)

    def test_unknown_action(self) -> None:
        """A raw call of an action the version has not is refused like a bad payload."""
        with pytest.raises(InvalidInput):
            schema.check_request(V16, "RequestStartTransaction", {})


def test_encode_is_compact() -> None:
    """No blanks; letters as they are."""
    assert schema.encode({"a": [1, "é"]}) == '{"a":[1,"é"]}'.encode()
