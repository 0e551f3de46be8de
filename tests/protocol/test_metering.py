"""Meter values of every version as readings."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from csms.domain.assets import OcppVersion
from csms.domain.meter import UNREADABLE_AT, Reading
from csms.protocol.metering import NOTHING, Metered, metered_2, metered_16
from csms.protocol.schema import decode

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
AT = "2026-01-01T12:00:00Z"
ENERGY = "energy.active.import.register"


def metered(version: OcppVersion, *groups: tuple[str, list[dict[str, Any]]]) -> Metered:
    values = [{"timestamp": at, "sampledValue": samples} for at, samples in groups]
    if version is OcppVersion.V16:
        payload = {"connectorId": 1, "meterValue": values}
        return metered_16(decode(version, "MeterValues", json.dumps(payload).encode())[0].meterValue)
    payload = {"evseId": 1, "meterValue": values}
    return metered_2(decode(version, "MeterValues", json.dumps(payload).encode())[0].meterValue)


def reading_16(**sample: Any) -> Reading:
    return metered(OcppVersion.V16, (AT, [sample])).readings[0]


def reading_2(version: OcppVersion = OcppVersion.V201, **sample: Any) -> Reading:
    return metered(version, (AT, [sample])).readings[0]


def test_defaults_need_not_be_written() -> None:
    """1.6 and 2.x: a bare value is imported energy in Wh, sampled periodically at the outlet."""
    bare = Reading(NOON, ENERGY, 1_234_500)

    assert reading_16(value="1234.5") == bare
    assert reading_2(value=1234.5) == bare
    written = {
        "context": "Sample.Periodic",
        "measurand": "Energy.Active.Import.Register",
        "location": "Outlet",
    }
    assert reading_16(value="1234.5", unit="Wh", **written) == bare
    assert reading_2(value=1234.5, unitOfMeasure={"unit": "Wh"}, **written) == bare


@pytest.mark.parametrize(
    ("sample", "reading"),
    [
        (
            {"value": "16.1", "unit": "kWh", "context": "Transaction.Begin"},
            Reading(NOON, ENERGY, 16_100_000, context="transaction.begin", raw="16.1 kWh"),
        ),
        (
            {"value": "230.1", "measurand": "Voltage", "phase": "L1-N", "unit": "V", "location": "Inlet"},
            Reading(NOON, "voltage", 230_100, phase="l1-n", location="inlet"),
        ),
        ({"value": "50", "measurand": "Frequency", "unit": "Hertz"}, Reading(NOON, "frequency", 50_000)),
        (
            {"value": "21", "measurand": "Temperature", "unit": "Celcius"},
            Reading(NOON, "temperature", 21_000),
        ),
        ({"value": "-5", "measurand": "Power.Active.Import"}, Reading(NOON, "power.active.import", -5_000)),
        ({"value": "1_000"}, Reading(NOON, ENERGY, None, raw="1_000")),
        ({"value": "nan"}, Reading(NOON, ENERGY, None, raw="nan")),
        ({"value": "7", "measurand": "Banana"}, Reading(NOON, "banana", 7_000)),
        ({"value": "7", "context": "Banana"}, Reading(NOON, ENERGY, 7_000, context="banana")),
    ],
)
def test_16(sample: dict[str, str], reading: Reading) -> None:
    """Exact numbers, our words; what cannot be read keeps its text."""
    assert reading_16(**sample) == reading


@pytest.mark.parametrize(
    ("sample", "reading"),
    [
        (
            {"value": 16.1, "unitOfMeasure": {"unit": "kWh"}, "context": "Transaction.End"},
            Reading(NOON, ENERGY, 16_100_000, context="transaction.end", raw="16.1 kWh"),
        ),
        (
            {"value": 5, "unitOfMeasure": {"unit": "Wh", "multiplier": 3}},
            Reading(NOON, ENERGY, 5_000_000, raw="5e3 Wh"),
        ),
        (
            {"value": 80, "measurand": "SoC", "unitOfMeasure": {"unit": "Percent"}},
            Reading(NOON, "soc", 80_000),
        ),
        ({"value": 1.005, "unitOfMeasure": {}}, Reading(NOON, ENERGY, 1_005)),
    ],
)
def test_201(sample: dict[str, Any], reading: Reading) -> None:
    """Numbers are read by their shortest text, so that no binary fraction comes in."""
    assert reading_2(**sample) == reading


def test_21_has_more_words() -> None:
    """Measurands and locations of 2.1 come through."""
    reading = reading_2(OcppVersion.V21, value=9, measurand="Power.Import.Offered", location="Upstream")

    assert (reading.measurand, reading.value, reading.location) == ("power.import.offered", 9_000, "upstream")


def test_signed_data_alone_is_kept_apart() -> None:
    """1.6: the blob verbatim, under a name that no number's reading has."""
    blob = 'OCMF|{"FV":"1.0"}|{"SD":"' + "3045" * 500 + '"}'

    reading = reading_16(value=blob, format="SignedData", context="Transaction.End")

    assert reading == Reading(NOON, f"signed.{ENERGY}", None, context="transaction.end", raw=blob)


def test_signed_data_beside_a_number() -> None:
    """2.x: number and all that a check of the signature needs."""
    signed = {"signedMeterData": "AAAA", "signingMethod": "", "encodingMethod": "OCMF", "publicKey": "k"}

    reading = reading_2(value=5.5, signedMeterValue=signed)

    assert reading.value == 5_500
    assert json.loads(reading.raw or "") == {"value": 5.5, "unit": None, "signed": signed}


def test_the_last_time_that_can_be_read() -> None:
    """The message's time is that of its last group; a reading without a time says so."""
    groups = [("2026-01-01T11:00:00Z", [{"value": "1"}]), (AT, [{"value": "2"}]), ("soon", [{"value": "3"}])]

    result = metered(OcppVersion.V16, *groups)

    assert (result.at, result.at_raw) == (NOON, None)
    assert [reading.at for reading in result.readings][1:] == [NOON, UNREADABLE_AT]
    assert metered(OcppVersion.V16, ("soon", [{"value": "3"}]))[1:] == (None, "soon")
    assert metered(OcppVersion.V201, ("2026-01-01T12:00:00", [{"value": 3}]))[1:] == (
        NOON,
        "2026-01-01T12:00:00",
    )


def test_nothing() -> None:
    """No meter values, no readings."""
    assert metered_16(None) == metered_2([]) == NOTHING
    assert metered(OcppVersion.V16, (AT, [])).readings == ()
