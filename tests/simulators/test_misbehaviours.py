"""Each named misbehaviour does what its name says, and only the specification's breakers break it."""

import json
from collections.abc import Callable
from typing import Any

import jsonschema
import pytest

from simulators.facts import moment
from simulators.misbehaviours import MISBEHAVIOURS, V16, Judged, named
from simulators.station import Asked
from tests.simulators.talk import T0, VERSIONS, Talk, station, visit

Check = Callable[[Talk], bool]


def lived(version: str, name: str) -> Talk:
    """One session in the life of a station that has this misbehaviour."""
    return Talk(station(version, visit(minutes=4), misbehave=(name,))).play()


def values(talk: Talk) -> list[dict[str, Any]]:
    """Every sampled value that was said."""
    found = []
    for _, payload in talk.said:
        for one in [*payload.get("meterValue", []), *payload.get("transactionData", [])]:
            found += one["sampledValue"]
    return found


def energies(talk: Talk) -> list[float]:
    """The register readings of the way, as said."""
    return [float(value["value"]) for value in values(talk) if value["measurand"].startswith("Energy")]


def stop(talk: Talk) -> dict[str, Any]:
    """The last stop that was said."""
    return talk.of("StopTransaction")[-1]


def times(talk: Talk) -> list[str]:
    """Every timestamp of sessions and statuses."""
    return [payload["timestamp"] for _, payload in talk.said if "timestamp" in payload]


def after(talk: Talk, action: str) -> list[str]:
    """The actions that follow the last one of a kind."""
    actions = talk.actions()
    return actions[len(actions) - actions[::-1].index(action) :]


def boot_text(talk: Talk) -> str:
    """The boot as text."""
    return json.dumps(talk.of("BootNotification")[0])


def token(payload: dict[str, Any]) -> str:
    """The token in a message of any version."""
    return payload["idTag"] if "idTag" in payload else payload["idToken"]["idToken"]


CHECKS: dict[str, Check] = {
    "empty-sampled-value": lambda t: any(
        one["sampledValue"] == [] for _, p in t.said for one in p.get("meterValue", [])
    ),
    "numeric-meter-values": lambda t: all(isinstance(value["value"], float) for value in values(t)),
    "comma-decimals": lambda t: any("," in value["value"] for value in values(t)),
    "wrong-context": lambda t: {value["context"] for value in values(t)} == {"Sample.Periodical"},
    "unit-Hz": lambda t: any(value.get("unit") == "Hz" for value in values(t)),
    "phase-tagged-energy": lambda t: all(
        v.get("phase") == "L1" for v in values(t) if "Energy" in v["measurand"]
    ),
    "bare-values": lambda t: {"value", "unit"} in [set(value) for value in values(t)],
    "long-signed-value": lambda t: any(
        len(value.get("signedMeterValue", {}).get("signedMeterData", "")) == 2772 for value in values(t)
    ),
    "session-relative-register": lambda t: 0 < energies(t)[0] < 1000 and stop(t)["meterStop"] > 1000,
    "meter-stop-minus-one": lambda t: stop(t)["meterStop"] == t.of("StartTransaction")[0]["meterStart"] - 1,
    "stop-transaction-minus-one": lambda t: stop(t)["transactionId"] == -1,
    "stop-transaction-zero": lambda t: stop(t)["transactionId"] == 0,
    "stale-transaction-id": lambda t: (
        after(t, "StopTransaction").count("MeterValues") == 3
        and t.of("MeterValues")[-1]["transactionId"] == 7001
    ),
    "closing-value-after-stop": lambda t: after(t, "StopTransaction")[0] == "MeterValues",
    "duplicate-stop": lambda t: len(t.of("StopTransaction")) == 2 and stop(t) == t.of("StopTransaction")[0],
    "stop-twice": lambda t: [p["reason"] for p in t.of("StopTransaction")] == ["Local", "Other"],
    "old-stop-at-boot": lambda t: t.of("StopTransaction")[0]["transactionId"] == 2_000_000_001,
    "odd-stop-reason": lambda t: stop(t)["reason"] == "StoppedByUser",
    "1970-clock": lambda t: all(text.startswith("1970-01-01T00:0") for text in times(t)),
    "local-time-without-zone": lambda t: all(text.startswith("2026-01-01T18:0") for text in times(t)),
    "microsecond-times": lambda t: all(text.endswith("000+00:00") for text in times(t)),
    "error-code-Error": lambda t: all(p["errorCode"] == "Error" for p in t.of("StatusNotification")),
    "finishing-with-error": lambda t: (
        "OtherError" in [p["errorCode"] for p in t.of("StatusNotification") if p["status"] == "Finishing"]
    ),
    "status-flood": lambda t: len(t.of("StatusNotification")) >= 60,
    "firmware-flood": lambda t: len(t.of("FirmwareStatusNotification")) >= 30,
    "zero-connector-meter": lambda t: {p["connectorId"] for p in t.of("MeterValues")} == {0},
    "idtag-suffix": lambda t: token(t.of("Authorize")[0]) == "TOKEN1_17",
    "idtag-semicolon": lambda t: token(t.of("Authorize")[0]) == "x;TOKEN1",
    "boot-loop": lambda t: t.actions()[:5] == ["BootNotification"] * 5,
    "unregistered": lambda t: "BootNotification" not in t.actions(),
    "no-boot": lambda t: "BootNotification" not in t.actions(),
    "no-subprotocol": lambda t: not t.station.quirks.subprotocol,
    "lower-case-keys": lambda t: "heartbeatinterval" in json.dumps(t.order("GetConfiguration", {})),
    "garbage-connector-count": lambda t: "1845493760" in json.dumps(t.order("GetConfiguration", {})),
    "long-serial": lambda t: "SN012345678901234567890123456789X" in boot_text(t),
    "html-model": lambda t: "<script>" in boot_text(t),
    "shape-of-16": lambda t: "errorCode" in t.of("StatusNotification")[0],
    "gap-in-sequence": lambda t: [p["seqNo"] for p in t.of("TransactionEvent")][:3] == [0, 2, 3],
}
VALID = {
    "session-relative-register", "meter-stop-minus-one", "stop-transaction-minus-one",
    "stop-transaction-zero",
    "stale-transaction-id", "closing-value-after-stop", "duplicate-stop", "stop-twice", "old-stop-at-boot",
    "1970-clock", "finishing-with-error", "status-flood", "firmware-flood", "zero-connector-meter",
    "idtag-suffix", "idtag-semicolon", "boot-loop", "no-boot", "unregistered", "no-subprotocol",
    "lower-case-keys",
    "garbage-connector-count", "html-model", "gap-in-sequence", "phase-tagged-energy", "microsecond-times",
    "silent-to-commands", "null-payload", "bare-values", "comma-decimals", "local-time-without-zone",
}  # fmt: skip
"""Those whose frames pass the schema: they break the meaning, the order or the transport."""


@pytest.mark.parametrize(
    ("version", "name"),
    [(v, one.name) for one in MISBEHAVIOURS.values() if one.name in CHECKS for v in one.versions],
)
def test_it_does_what_its_name_says(version: str, name: str) -> None:
    """In each version that it is made for."""
    assert CHECKS[name](lived(version, name))


@pytest.mark.parametrize("name", sorted(CHECKS))
def test_without_it_nothing_of_the_kind_happens(name: str) -> None:
    """The check fails for a station that behaves."""
    version = MISBEHAVIOURS[name].versions[0]
    assert not CHECKS[name](Talk(station(version, visit(minutes=4))).play())


@pytest.mark.parametrize("name", sorted(MISBEHAVIOURS))
def test_frames_are_invalid_exactly_where_the_schema_is_broken(name: str) -> None:
    """The table above says which misbehaviours a schema can notice."""
    talk = lived(MISBEHAVIOURS[name].versions[0], name)
    try:
        talk.assert_valid()
    except jsonschema.ValidationError:
        assert name not in VALID
    else:
        assert name in VALID


def test_null_payload() -> None:
    """A heartbeat's empty object becomes null on the wire."""
    talk = Talk(station("1.6", misbehave=("null-payload",))).play()
    talk.station.beat()
    out = talk.station.outgoing()
    assert out is not None
    assert json.loads(out[1])[2:] == ["Heartbeat", None]


def test_silent_to_commands() -> None:
    """It hears, and does and says nothing."""
    talk = Talk(station("2.0.1", misbehave=("silent-to-commands",))).play()
    heard = talk.station.receive('[2,"a","Reset",{"type":"Immediate"}]', talk.at)
    assert isinstance(heard, Asked)
    assert heard.reply is None
    assert not talk.station.restart


def test_times_of_1970_keep_their_distances() -> None:
    """Only the origin is wrong."""
    right = Talk(station("1.6", visit(minutes=4))).play()
    wrong = lived("1.6", "1970-clock")
    shift = {moment(b) - moment(a) for a, b in zip(times(wrong), times(right), strict=True)}
    assert len(shift) == 1
    assert moment(times(right)[0]) == T0


def test_misbehaviours_of_another_version_do_nothing() -> None:
    """A 1.6 quirk on a 2.1 station changes no frame."""
    behaves = Talk(station("2.1", visit(minutes=4))).play()
    for name, one in MISBEHAVIOURS.items():
        if one.versions == V16:
            assert lived("2.1", name).said == behaves.said


def test_several_at_once() -> None:
    """They are applied one after the other; the weakest judgement holds."""
    one = station("1.6", visit(minutes=4), misbehave=("duplicate-stop", "meter-stop-minus-one"))
    talk = Talk(one).play()
    assert [p["meterStop"] for p in talk.of("StopTransaction")] == [999, 999]
    assert one.quirks.judged is Judged.PRESENT


def test_the_table() -> None:
    """Enough of them, each told apart and attributed; a wrong name is refused by name."""
    assert len(MISBEHAVIOURS) >= 24
    assert set(MISBEHAVIOURS) - set(CHECKS) == {"null-payload", "silent-to-commands"}
    assert all(one.what and one.seen and set(one.versions) <= set(VERSIONS) for one in MISBEHAVIOURS.values())
    with pytest.raises(ValueError, match="bad-one"):
        named(["boot-loop", "bad-one"])
