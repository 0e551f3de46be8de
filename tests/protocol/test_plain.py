"""The next reading of a session says what the dialect's event of the same message says, or nothing."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csms.domain.assets import OcppVersion
from csms.domain.course import NextReading
from csms.domain.events import SessionMetered
from csms.domain.meter import ENERGY_IMPORT_REGISTER, kind_number
from csms.protocol import DIALECTS, plain, read, read_plain
from csms.store.times import micros

Payload = dict[str, Any]
V2 = [OcppVersion.V201, OcppVersion.V21]
ACTION = {
    OcppVersion.V16: "MeterValues",
    OcppVersion.V201: "TransactionEvent",
    OcppVersion.V21: "TransactionEvent",
}
AT = "2026-01-01T10:00:00Z"

TIMES = st.sampled_from(
    [
        *[AT] * 8,
        *["2026-01-01T10:00:00.000Z", "2026-01-01T10:00:01.999Z"] * 2,
        *("2026-01-01T10:00:00.5Z", "2026-01-01T10:00:00.123456Z", "2026-01-01T10:00:00+00:00"),
        *("2026-01-01T18:00:00+08:00", "2026-01-01T10:00:00", "2026-01-01 10:00:00Z", "2026-02-30T10:00:00Z"),
        *("2026-01-01T24:00:00Z", "2026-01-01T23:59:60Z", "1970-01-01T00:00:00Z", "1899-12-31T23:59:59Z"),
        *("2199-12-31T23:59:59Z", "2200-01-01T00:00:00Z", "2026-W01-4T10:00:00Z", "2026-01-01T10:00Z"),
        *("0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999Z", "now", "", "2026-01-01T10:00:00z"),
        *("２０２６-01-01T10:00:00Z", "2026-01-01T10:00:00.١٢٣Z", "2026-01-01T10:00:00,123Z"),
        *("2026-01-01T1:00:00ZZ", "2026-1-01T10:00:00Z", "2026-01-01T10-00-00Z", "20260101T10:00:00.0Z"),
    ]
)
LIKE_A_TIME = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{0,4})?Z?"
MEASURANDS = [
    *["Energy.Active.Import.Register", None] * 4,
    *("Voltage", "SoC", "Current.Import", "Power.Active.Import", "Temperature", "Frequency", "Power.Factor"),
    *(
        "Energy.Active.Import.Interval",
        "Energy.Active.Export.Register",
        "RPM",
        "Energy.Reactive.Import.Register",
    ),
]
UNITS = [*[None] * 4, "Wh", "Wh", "kWh", "W", "kW", "A", "V", "Celsius", "K", "Fahrenheit", "Percent", "varh"]
UNITS_16 = [*UNITS, "Celcius"]
UNITS_2 = [*UNITS, "Hertz", "Hz", "Celcius", "", "miles", "mA", "dA", "MWh"]
PHASES = [*[None] * 5, "L1", "L2", "N", "L1-N", "L3-L1"]
LOCATIONS = [*[None] * 5, "Outlet", "Outlet", "Body", "Cable", "EV", "Inlet"]
CONTEXTS = [
    *[None] * 5,
    *("Sample.Periodic", "Sample.Periodic", "Sample.Clock", "Transaction.Begin", "Transaction.End"),
    *("Trigger", "Interruption.Begin", "Interruption.End", "Other"),
]
TEXTS = st.one_of(
    st.integers(0, 10**7).map(str),
    st.integers(0, 10**7).map(str),
    st.sampled_from(
        ["0", "007", "1.5", "12.3456789", "-5", "-0", "1e3", "1E+2", ".5", "5.", " 5", "1,5", "", "n/a"]
    ),
    st.sampled_from(
        ["99999999999999", "999999999999999", "1" * 18, "1" * 19, "٣", "5²", "NaN", "+7", "0x10"]
    ),
    st.text(max_size=6),
)
NUMBERS = st.one_of(
    st.integers(0, 10**7),
    st.sampled_from(
        [0, 0.0, -0.0, 1.5, 12.3456789, -5, 10**14, 10**15 - 1, 10**15, 10**18, 1e-9, 1e300, 3.0]
    ),
    st.floats(allow_nan=False, allow_infinity=False, width=32),
)


def without_none(payload: Payload) -> Payload:
    return {name: value for name, value in payload.items() if value is not None}


SAMPLES_16 = st.fixed_dictionaries(
    {
        "value": TEXTS,
        "measurand": st.sampled_from([*MEASURANDS[:-4], "Energy.Active.Import.Interval", "RPM"]),
        "unit": st.sampled_from(UNITS_16),
        "phase": st.sampled_from(PHASES),
        "location": st.sampled_from(LOCATIONS),
        "context": st.sampled_from(CONTEXTS),
        "format": st.sampled_from([None, None, None, None, "Raw", "SignedData"]),
    }
).map(without_none)
UNITS_OF_MEASURE = st.one_of(
    st.none(),
    st.fixed_dictionaries(
        {"unit": st.sampled_from(UNITS_2), "multiplier": st.sampled_from([None, None, 0, 3, -1, 1, -3, 12])}
    ).map(without_none),
)
SIGNED = {"signedMeterData": "x", "signingMethod": "", "encodingMethod": "OCMF", "publicKey": ""}
SAMPLES_2 = st.fixed_dictionaries(
    {
        "value": NUMBERS,
        "measurand": st.sampled_from(MEASURANDS[:-2]),
        "unitOfMeasure": UNITS_OF_MEASURE,
        "phase": st.sampled_from(PHASES),
        "location": st.sampled_from(LOCATIONS),
        "context": st.sampled_from(CONTEXTS),
        "signedMeterValue": st.sampled_from([None] * 8 + [SIGNED]),
    }
).map(without_none)


def groups(samples: st.SearchStrategy[Payload]) -> st.SearchStrategy[list[Payload]]:
    group = st.fixed_dictionaries(
        {"timestamp": TIMES, "sampledValue": st.lists(samples, min_size=1, max_size=4)}
    )
    return st.one_of(*[st.lists(group, min_size=1, max_size=1)] * 5, st.lists(group, min_size=1, max_size=2))


METER_VALUES = st.fixed_dictionaries(
    {
        "connectorId": st.sampled_from([1, 1, 2, 0, -1]),
        "transactionId": st.sampled_from([1, 77, 10**9, 0, -1, None]),
        "meterValue": groups(SAMPLES_16),
    }
).map(without_none)
EVENTS = st.fixed_dictionaries(
    {
        "eventType": st.sampled_from(["Updated"] * 6 + ["Started", "Ended"]),
        "timestamp": TIMES,
        "triggerReason": st.just("MeterValuePeriodic"),
        "seqNo": st.integers(0, 1000),
        "offline": st.sampled_from([None, True, False]),
        "transactionInfo": st.sampled_from(
            [
                {"transactionId": "TX-1"},
                {"transactionId": "TX-1", "chargingState": "Charging"},
                {"transactionId": "TX-1", "chargingState": "SuspendedEVSE"},
                {"transactionId": ""},
            ]
        ),
        "evse": st.sampled_from([None, {"id": 1}, {"id": 1, "connectorId": 1}, {"id": 0}]),
        "idToken": st.sampled_from([None] * 6 + [{"idToken": "A1", "type": "ISO14443"}]),
        "meterValue": st.one_of(*[groups(SAMPLES_2)] * 6, st.none()),
    }
).map(without_none)


def plainly(version: OcppVersion, payload: Payload) -> NextReading | None:
    """What the short way makes of a payload."""
    return read_plain(DIALECTS[version], ACTION[version], json.dumps(payload).encode())


def assert_says_the_same(version: OcppVersion, payload: Payload, told: NextReading) -> None:
    """As the event that the dialect makes of it, value for value."""
    event, findings = read(DIALECTS[version], ACTION[version], json.dumps(payload).encode())

    assert isinstance(event, SessionMetered)
    assert not findings
    assert event.at is not None
    assert (told.transaction_id, told.at) == (event.transaction_id, micros(event.at))
    assert (told.seq_no, told.charging_state) == (event.seq_no, event.charging_state)
    assert (event.token, event.at_raw) == (None, None)
    assert told.tells_place == (event.evse is not None)
    assert {micros(reading.at) for reading in event.readings} == {told.taken}
    wanted = [
        (
            kind_number(r.measurand, r.phase, r.location, r.context),
            r.value,
            *([] if r.raw is None else [r.raw]),
        )
        for r in event.readings
    ]
    assert told.samples == wanted
    energy = [r for r in event.readings if r.measurand.startswith("energy.active.import")]
    assert all(r.measurand == ENERGY_IMPORT_REGISTER and not r.phase and not r.location for r in energy)
    assert [r.value for r in energy] == ([] if told.energy_mwh is None else [told.energy_mwh])


@given(METER_VALUES)
def test_meter_values_say_what_the_event_says(payload: Payload) -> None:
    """1.6: whatever is sent, a next reading is what `read` makes of it."""
    told = plainly(OcppVersion.V16, payload)

    if told is not None:
        assert_says_the_same(OcppVersion.V16, payload, told)


@pytest.mark.parametrize("version", V2)
@given(payload=EVENTS)
def test_transaction_events_say_what_the_event_says(version: OcppVersion, payload: Payload) -> None:
    """2.x: the same."""
    told = plainly(version, payload)

    if told is not None:
        assert_says_the_same(version, payload, told)


@pytest.mark.parametrize("version", list(OcppVersion))
@given(text=TIMES | st.from_regex(LIKE_A_TIME, fullmatch=True))
def test_times_are_those_of_the_event(version: OcppVersion, text: str) -> None:
    """The table of seconds knows no other time than the parser."""
    payload = payload_of(version)
    payload["timestamp"] = payload["meterValue"][0]["timestamp"] = text
    payload = payload if version is not OcppVersion.V16 else without_none(payload | {"timestamp": None})

    told = plainly(version, payload)

    if told is not None:
        assert_says_the_same(version, payload, told)


def payload_of(version: OcppVersion, *samples: Payload, **other: Any) -> Payload:
    """A message with these samples (or one of 1500 Wh), as nearly all are."""
    if version is OcppVersion.V16:
        sampled = list(samples) or [{"value": "1500"}]
        values = {"connectorId": 1, "transactionId": 7, "meterValue": [group(*sampled)]}
        return without_none(values | other)
    event = {
        "eventType": "Updated",
        "timestamp": AT,
        "triggerReason": "MeterValuePeriodic",
        "seqNo": 4,
        "transactionInfo": {"transactionId": "TX-1"},
        "meterValue": [group(*(list(samples) or [{"value": 1500}]))],
    }
    return without_none(event | other)


def group(*samples: Payload, at: str = AT) -> Payload:
    """Samples of one instant."""
    return {"timestamp": at, "sampledValue": list(samples)}


REGISTER = "Energy.Active.Import.Register"
USUAL_16 = [
    {
        "value": "1500",
        "measurand": REGISTER,
        "unit": "Wh",
        "context": "Sample.Periodic",
        "location": "Outlet",
    },
    {"value": "230.1", "measurand": "Voltage", "unit": "V", "phase": "L1-N"},
    {"value": "16000", "measurand": "Power.Active.Import", "unit": "W"},
    {"value": "31.5", "measurand": "Temperature", "unit": "Celsius"},
    {"value": "80", "measurand": "SoC", "unit": "Percent", "location": "EV"},
]
USUAL_2 = [
    {"value": 1.5, "measurand": REGISTER, "unitOfMeasure": {"unit": "kWh"}, "location": "Outlet"},
    {"value": 230.1, "measurand": "Voltage", "unitOfMeasure": {"unit": "V"}, "phase": "L1-N"},
    {"value": 16, "measurand": "Power.Active.Import", "unitOfMeasure": {"unit": "W", "multiplier": 3}},
]


def test_what_most_1_6_stations_send_is_plain() -> None:
    """Registers in Wh, voltages with decimals."""
    payload = payload_of(OcppVersion.V16, *USUAL_16)
    told = plainly(OcppVersion.V16, payload)

    assert told is not None
    assert (told.transaction_id, told.energy_mwh, told.seq_no) == ("7", 1_500_000, None)
    assert told.tells_place
    assert told.at == told.taken == 1_767_261_600_000_000
    assert_says_the_same(OcppVersion.V16, payload, told)


@pytest.mark.parametrize("version", V2)
def test_what_most_2_x_stations_send_is_plain(version: OcppVersion) -> None:
    """Kilowatt-hours and powers of ten keep their text beside the number."""
    state = {"transactionId": "TX-1", "chargingState": "Charging"}
    payload = payload_of(version, *USUAL_2, transactionInfo=state, evse={"id": 1, "connectorId": 1})
    told = plainly(version, payload)

    assert told is not None
    assert (told.transaction_id, told.energy_mwh, told.seq_no) == ("TX-1", 1_500_000, 4)
    assert (told.charging_state, told.tells_place) == ("charging", True)
    assert told.samples[0][1:] == (1_500_000, "1.5 kWh")
    assert told.samples[2][1:] == (16_000_000, "16e3 W")
    assert_says_the_same(version, payload, told)


@pytest.mark.parametrize("version", V2)
def test_a_message_may_come_after_its_readings(version: OcppVersion) -> None:
    """Two times, each kept."""
    payload = payload_of(version, meterValue=[group({"value": 1}, at="2026-01-01T09:59:58.250Z")])
    told = plainly(version, payload)

    assert told is not None
    assert told.at - told.taken == 1_750_000
    assert_says_the_same(version, payload, told)


@pytest.mark.parametrize(
    "payload",
    [
        payload_of(OcppVersion.V16, transactionId=None),
        payload_of(OcppVersion.V16, meterValue=[group({"value": "1"}), group({"value": "2"})]),
        payload_of(OcppVersion.V16, meterValue=[]),
        payload_of(OcppVersion.V16, meterValue=[group({"value": "1"}, at="2026-01-01 10:00:00")]),
        payload_of(OcppVersion.V16, meterValue=[group({"value": "1"}, at="2026-02-30T10:00:00Z")]),
        payload_of(OcppVersion.V16, {"value": "n/a"}),
        payload_of(OcppVersion.V16, {"value": "-1"}),
        payload_of(OcppVersion.V16, {"value": "1"}, {"value": "2", "measurand": REGISTER}),
        payload_of(OcppVersion.V16, {"value": "1", "phase": "L1"}),
        payload_of(OcppVersion.V16, {"value": "1", "location": "Inlet"}),
        payload_of(OcppVersion.V16, {"value": "1", "context": "Transaction.Begin"}),
        payload_of(OcppVersion.V16, {"value": "1", "context": "Transaction.End"}),
        payload_of(OcppVersion.V16, {"value": "1", "measurand": "Energy.Active.Import.Interval"}),
        payload_of(OcppVersion.V16, {"value": "abc", "format": "SignedData"}),
        payload_of(OcppVersion.V16, {"value": "1", "unit": "V"}),
        payload_of(OcppVersion.V16, {"value": 1}),
        payload_of(OcppVersion.V16, {"value": "1", "measurand": "Nonsense"}),
        payload_of(OcppVersion.V16, {"value": "1\0"}),
        payload_of(OcppVersion.V16, connectorId="1"),
    ],
    ids=lambda payload: json.dumps(payload)[:120],
)
def test_odd_meter_values_are_left_to_the_dialect(payload: Payload) -> None:
    """1.6: no transaction, other instants, odd times, words and registers."""
    assert plainly(OcppVersion.V16, payload) is None


@pytest.mark.parametrize("version", V2)
@pytest.mark.parametrize(
    "other",
    [
        {"eventType": "Started"},
        {"eventType": "Ended"},
        {"idToken": {"idToken": "A1", "type": "ISO14443"}},
        {"meterValue": None},
        {"meterValue": [group({"value": 1}), group({"value": 2})]},
        {"meterValue": [group({"value": 1}, {"value": 2})]},
        {"meterValue": [group({"value": -1})]},
        {"meterValue": [group({"value": 1e300})]},
        {"meterValue": [group({"value": 1, "signedMeterValue": SIGNED})]},
        {"meterValue": [group({"value": 1, "unitOfMeasure": {"unit": "miles"}})]},
        {"meterValue": [group({"value": 1, "context": "Transaction.End"})]},
        {"meterValue": [group({"value": 1, "phase": "L2"})]},
        {"meterValue": [group({"value": 1}, at="yesterday")]},
        {"timestamp": "2026-01-01T10:00:00+00:00"},
        {"seqNo": "4"},
        {"seqNo": None},
        {"transactionInfo": {"transactionId": "T" * 37}},
    ],
    ids=lambda other: json.dumps(other)[:120],
)
def test_odd_transaction_events_are_left_to_the_dialect(version: OcppVersion, other: Payload) -> None:
    """2.x: starts, ends, tokens, signatures, other instants and registers, what the schema refuses."""
    assert plainly(version, payload_of(version, **other)) is None


def test_spellings_beyond_counting_fill_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Words and seconds are forgotten or not kept; what is read is the same."""
    monkeypatch.setattr(plain, "_kinds", {})
    monkeypatch.setattr(plain, "_seconds", {})
    monkeypatch.setattr(plain, "_MOST_KINDS", 3)
    monkeypatch.setattr(plain, "_MOST_SECONDS", 3)

    for n in range(20):
        sample = {"value": 5, "measurand": "Voltage", "unitOfMeasure": {"unit": "V" if n % 2 else f"U{n}"}}
        at = f"2026-01-01T10:00:{n:02}Z"
        payload = payload_of(OcppVersion.V201, sample, timestamp=at)
        told = plainly(OcppVersion.V201, payload)
        assert (told is not None) == bool(n % 2)
        if told is not None:
            assert_says_the_same(OcppVersion.V201, payload, told)

    assert len(plain._kinds) <= 3
    assert len(plain._seconds) <= 3
