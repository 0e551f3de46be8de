"""What is put up with, level by level, on payloads of real stations."""

import json
from typing import Any

import pytest

from csms.domain.assets import OcppVersion
from csms.protocol import v16, v201
from csms.protocol.repairs import STANDARD, STRICT, Finding, Level, PayloadRefused, Reason, Repairs
from csms.protocol.schema import decode

V16, V201 = OcppVersion.V16, OcppVersion.V201


def repaired(
    version: OcppVersion, action: str, payload: Any, repairs: Repairs = STANDARD
) -> tuple[Any, list[tuple[str, str, str]]]:
    struct, findings = decode(version, action, json.dumps(payload).encode(), repairs)
    return struct, [(f.level.value, f.what, f.where) for f in findings]


def refused(version: OcppVersion, action: str, payload: Any, repairs: Repairs = STANDARD) -> PayloadRefused:
    with pytest.raises(PayloadRefused) as caught:
        decode(version, action, json.dumps(payload).encode(), repairs)
    return caught.value


def meter_values(**changes: Any) -> dict[str, Any]:
    sample = {"value": "1", **changes}
    group = {"timestamp": "2026-01-01T12:00:00Z", "sampledValue": [{"value": "5"}, sample]}
    return {"connectorId": 1, "transactionId": 7, "meterValue": [group]}


def status(**changes: Any) -> dict[str, Any]:
    return {"connectorId": 1, "errorCode": "NoError", "status": "Available", **changes}


def boot(**changes: Any) -> dict[str, Any]:
    return {"chargePointVendor": "V", "chargePointModel": "M", **changes}


SAMPLE = "meterValue[].sampledValue[]"


class TestWords:
    """Words no enumeration has."""

    @pytest.mark.parametrize(
        ("changes", "kept"),
        [
            ({"context": "Sample"}, "Sample"),
            ({"measurand": "Energy"}, "Energy"),
            ({"unit": "Hz"}, "Hz"),
            ({"format": "Signed"}, "Signed"),
        ],
    )
    def test_meter_values_keep_them(self, changes: dict[str, str], kept: str) -> None:
        """An unknown word is noted and kept: leaving a measurand out would make it imported energy."""
        struct, found = repaired(V16, "MeterValues", meter_values(**changes))
        (name,) = changes

        assert getattr(struct.meterValue[0].sampledValue[1], name) == kept
        assert found == [("noted", "enum", f"{SAMPLE}.{name}")]

    def test_case_does_not_matter(self) -> None:
        """A word of the specification in other case is that word."""
        struct, found = repaired(V16, "MeterValues", meter_values(unit="KWH", context="sample.periodic"))

        sample = struct.meterValue[0].sampledValue[1]
        assert (sample.unit, sample.context) == ("kWh", "Sample.Periodic")
        assert {level for level, _, _ in found} == {"repaired"}

    def test_error_code(self) -> None:
        """Legrand's Error, and any other code no version has, is OtherError."""
        struct, found = repaired(V16, "StatusNotification", status(errorCode="Error"))

        assert struct.errorCode == "OtherError"
        assert found == [("repaired", "enum", "errorCode")]

    def test_a_status_is_never_lost(self) -> None:
        """An unknown status comes through as it is."""
        assert repaired(V16, "StatusNotification", status(status="Napping"))[0].status == "Napping"

    def test_without_the_event_type_nothing_is_understood(self) -> None:
        """TransactionEvent is the one message whose word decides what it is."""
        event = {
            "eventType": "Changed",
            "timestamp": "2026-01-01T12:00:00Z",
            "triggerReason": "Napping",
            "seqNo": 1,
            "transactionInfo": {"transactionId": "a", "chargingState": "Napping"},
        }

        assert refused(V201, "TransactionEvent", event).reason is Reason.PROPERTY

        struct, found = repaired(V201, "TransactionEvent", event | {"eventType": "started"})

        assert (struct.eventType, struct.triggerReason) == ("Started", "Napping")
        assert sorted(found) == [
            ("noted", "enum", "transactionInfo.chargingState"),
            ("noted", "enum", "triggerReason"),
            ("repaired", "enum", "eventType"),
        ]


class TestLengths:
    """Texts longer than the schema allows."""

    def test_texts_are_cut(self) -> None:
        """The payload has what the schema allows, the finding what was sent."""
        struct, findings = decode(
            V16, "BootNotification", json.dumps(boot(chargePointModel="m" * 30)).encode()
        )

        assert struct.chargePointModel == "m" * 20
        assert findings == [Finding(Level.REPAIRED, "maxLength", "chargePointModel", "m" * 30)]

    def test_identities_are_kept_whole(self) -> None:
        """A serial number or a tag cut short would be another one's."""
        struct, found = repaired(V16, "BootNotification", boot(chargePointSerialNumber="s" * 33))

        assert struct.chargePointSerialNumber == "s" * 33
        assert found == [("noted", "maxLength", "chargePointSerialNumber")]

        start = {"connectorId": 1, "idTag": "t" * 22, "meterStart": 0, "timestamp": "2026-01-01T12:00:00Z"}
        assert repaired(V16, "StartTransaction", start)[0].idTag == "t" * 22

    def test_signed_data_is_kept_whole(self) -> None:
        """OCMF of 2772 characters; nothing a signature covers may be cut."""
        signed = {
            "signedMeterData": "x" * 2772,
            "signingMethod": "",
            "encodingMethod": "OCMF",
            "publicKey": "",
        }
        group = {
            "timestamp": "2026-01-01T12:00:00Z",
            "sampledValue": [{"value": 1, "signedMeterValue": signed}],
        }

        struct, _ = repaired(V201, "MeterValues", {"evseId": 1, "meterValue": [group]})

        assert struct.meterValue[0].sampledValue[0].signedMeterValue.signedMeterData == "x" * 2772

    def test_what_can_be_asked_again_is_refused(self) -> None:
        """J14: an id tag of 21 characters is not authorized, and not cut."""
        assert refused(V16, "Authorize", {"idTag": "t" * 21}).reason is Reason.PROPERTY

    def test_a_vendor_may_be_allowed_more(self) -> None:
        """A raised limit counts in every message."""
        assert (
            repaired(V16, "Authorize", {"idTag": "t" * 21}, Repairs(limits={"idTag": 22}))[0].idTag
            == "t" * 21
        )


class TestTypes:
    """Values of another type."""

    def test_numbers_for_texts(self) -> None:
        """OpenEVSE: a numeric value, digit by digit as it was sent."""
        raw = json.dumps(meter_values()).replace('"1"', "16.10").encode()

        struct, findings = decode(V16, "MeterValues", raw)

        assert struct.meterValue[0].sampledValue[1].value == "16.10"
        assert findings == [Finding(Level.REPAIRED, "type", f"{SAMPLE}.value", "16.10")]

    def test_whole_numbers(self) -> None:
        """J09: 1.0 and "1" are whole numbers with a finding, true is none."""
        assert repaired(V16, "StatusNotification", status(connectorId=1.0))[0].connectorId == 1
        assert repaired(V16, "StatusNotification", status(connectorId="1"))[0].connectorId == 1
        assert refused(V16, "StatusNotification", status(connectorId=True)).reason is Reason.TYPE
        assert refused(V16, "StatusNotification", status(connectorId=1.0), STRICT).reason is Reason.TYPE

    @pytest.mark.parametrize("payload", [None, [], ""])
    def test_nothing_for_an_object(self, payload: Any) -> None:
        """R09: null for {} is put right where nothing is required, and a type error elsewhere."""
        assert repaired(V16, "Heartbeat", payload)[1] == [("repaired", "type", "")]
        assert refused(V16, "Authorize", payload).reason is Reason.TYPE

    def test_null_is_left_out(self) -> None:
        """An optional null was meant to be absent; a required one is missing."""
        payload = status(info=None)

        assert repaired(V16, "StatusNotification", payload)[0].info is None
        assert refused(V16, "StatusNotification", status(status=None)).reason is Reason.OCCURRENCE


class TestElements:
    """Lists and properties."""

    def test_no_samples(self) -> None:
        """Vestel: an empty list says nothing, and does no harm."""
        payload = {"connectorId": 1, "meterValue": [{"timestamp": "x", "sampledValue": []}]}

        assert repaired(V16, "MeterValues", payload)[1] == [
            ("noted", "minItems", "meterValue[].sampledValue")
        ]

    @pytest.mark.parametrize("sample", [{}, {"value": None}, {"value": {"a": 1}}, None, 7, {"unit": "Wh"}])
    def test_a_bad_sample_costs_only_itself(self, sample: Any) -> None:
        """The other samples of the message count."""
        payload = meter_values()
        payload["meterValue"][0]["sampledValue"][:0] = [sample, sample]

        struct, found = repaired(V16, "MeterValues", payload)

        assert [one.value for one in struct.meterValue[0].sampledValue] == ["5", "1"]
        assert found.count(("repaired", "unreadable", SAMPLE)) == 2

    def test_bad_custom_data_costs_only_itself(self) -> None:
        """customData without a vendor is dropped."""
        heartbeat = {"customData": {"x": 1}}

        assert repaired(V201, "Heartbeat", heartbeat)[1] == [("repaired", "unreadable", "customData")]

    def test_unknown_properties_are_ignored(self) -> None:
        """R10: noted by default, refused where a profile says so."""
        struct, found = repaired(V16, "StatusNotification", status(foo={"a": 1}))

        assert not hasattr(struct, "foo")
        assert found == [("noted", "additionalProperties", "foo")]

        refusal = refused(V16, "StatusNotification", status(foo=1), Repairs(extra=False))
        assert refusal.code(v16.ERRORS) == "FormationViolation"
        assert refusal.code(v201.ERRORS) == "FormatViolation"

    def test_names_in_other_case(self) -> None:
        """Keys in lower case are the keys they look like."""
        payload = {name.lower(): value for name, value in status(info="x").items()}

        struct, found = repaired(V16, "StatusNotification", payload)

        assert (struct.connectorId, struct.errorCode, struct.info) == (1, "NoError", "x")
        assert ("repaired", "name", "connectorid") in found

    def test_missing(self) -> None:
        """R11: what is required and missing cannot be made up."""
        refusal = refused(V16, "StatusNotification", {"connectorId": 1, "status": "Available"})

        assert refusal.code(v16.ERRORS) == "OccurenceConstraintViolation"
        assert refusal.code(v201.ERRORS) == "OccurrenceConstraintViolation"
        assert "errorCode" in refusal.description

    def test_one_object_for_a_list_of_one(self) -> None:
        """A list forgotten around its only element."""
        payload = meter_values()
        payload["meterValue"] = payload["meterValue"][0]

        assert len(repaired(V16, "MeterValues", payload)[0].meterValue[0].sampledValue) == 2


def test_everything_at_once() -> None:
    """One repair uncovers the next until nothing is left."""
    payload = {
        "connectorid": "1",
        "TRANSACTIONID": None,
        "metervalue": {
            "timestamp": "2026-01-01T12:00:00",
            "sampledValue": [{"Value": 5.5, "unit": "wh", "note": 1}],
        },
    }

    struct, _ = repaired(V16, "MeterValues", payload)

    assert (struct.connectorId, struct.transactionId) == (1, None)
    assert struct.meterValue[0].sampledValue[0].value == "5.5"
    assert struct.meterValue[0].sampledValue[0].unit == "Wh"


def test_there_is_an_end_to_patience() -> None:
    """A message that is wrong in thousands of places is refused, whatever it is."""
    sample = {"value": 1, "context": "x", "unit": "y", "measurand": "z"}
    group = {"timestamp": "2026-01-01T12:00:00Z", "sampledValue": [sample] * 2_000}

    assert refused(V16, "MeterValues", {"connectorId": 1, "meterValue": [group]}).reason is Reason.PROPERTY


def test_findings_are_small() -> None:
    """What a station can fill is cut."""
    _, findings = decode(V16, "StatusNotification", json.dumps(status(**{"k" * 500: "v" * 500})).encode())

    assert [(len(f.where), len(f.sent)) for f in findings] == [(200, 200)]


def test_descriptions_say_what_and_where() -> None:
    """Clear to whoever reads the station's log, and never longer than an error may be."""
    payload = meter_values()
    payload["meterValue"][0]["timestamp"] = {"x": "y" * 500}

    description = refused(V16, "MeterValues", payload).description

    assert description.startswith("meterValue[].timestamp: {'x': 'yyy")
    assert len(description) <= 255


@pytest.mark.parametrize("limit", ["1e400", "1" * 400 + ".5", "1e999999"])
def test_absurd_numbers_do_no_harm(limit: str) -> None:
    """J02: numbers no machine holds are a type error, quickly."""
    raw = b'{"evseId":%b,"connectorId":1,"timestamp":"","connectorStatus":"Available"}' % limit.encode()

    with pytest.raises(PayloadRefused) as caught:
        decode(V201, "StatusNotification", raw)

    assert caught.value.reason is Reason.TYPE
