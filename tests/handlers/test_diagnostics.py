"""What stations tell of themselves is kept as events."""

from typing import Any

import pytest

from csms.domain.assets import OcppVersion
from tests.handlers.kit import HOUR, MINUTE, T0, House, text

EACH = pytest.mark.parametrize("version", list(OcppVersion))
V2 = pytest.mark.parametrize("version", [OcppVersion.V201, OcppVersion.V21])


@EACH
async def test_a_security_event_keeps_both_times(house: House, version: OcppVersion) -> None:
    """A04: it may come long after it happened."""
    talk = await house.connect(version)

    answer = await talk.say(
        "SecurityEventNotification",
        {"type": "InvalidTLSVersion", "timestamp": text(T0 - HOUR), "techInfo": "TLS 1.0"},
    )

    assert answer == {}
    (event,) = await house.events(talk)
    assert event == {
        "kind": "security",
        "at": "2026-01-01T09:00:00.000Z",
        "received_at": "2026-01-01T10:00:00.000Z",
        "details": {"type": "InvalidTLSVersion", "info": "TLS 1.0"},
    }


@EACH
@pytest.mark.parametrize("action", ["FirmwareStatusNotification", "LogStatusNotification"])
async def test_progress_is_kept_when_it_changes(house: House, version: OcppVersion, action: str) -> None:
    """Some models repeat a status for ever."""
    talk = await house.connect(version)
    done = "Installed" if action.startswith("Firmware") else "Uploaded"

    for status in ("Idle", "Idle", done, done, done, "Idle"):
        await talk.say(action, {"status": status})
        house.at += MINUTE

    kept = [event["details"]["status"] for event in await house.events(talk)]
    assert kept == ["idle", done.lower(), "idle"]


@V2
async def test_progress_of_two_requests_is_told_apart(house: House, version: OcppVersion) -> None:
    """The same status of another update is news."""
    talk = await house.connect(version)

    for request_id in (1, 1, 2):
        await talk.say("FirmwareStatusNotification", {"status": "Downloading", "requestId": request_id})

    assert [event["details"]["request_id"] for event in await house.events(talk)] == [1, 2]


async def test_16_diagnostics_are_a_log_upload(house: House) -> None:
    """One word for both."""
    talk = await house.connect()

    await talk.say("DiagnosticsStatusNotification", {"status": "Uploading"})

    (event,) = await house.events(talk, kind="log")
    assert event["details"] == {"status": "uploading", "request_id": None}


@EACH
@pytest.mark.parametrize("data", ["text", None])
async def test_vendor_data_is_kept_and_not_understood(
    house: House, version: OcppVersion, data: str | None
) -> None:
    """R27: so the station is told."""
    talk = await house.connect(version)
    sent: dict[str, Any] = {"vendorId": "com.acme", "messageId": "mood"}

    answer = await talk.say("DataTransfer", sent if data is None else {**sent, "data": data})

    assert answer == {"status": "UnknownVendorId"}
    (event,) = await house.events(talk, kind="data")
    assert event["details"] == {"vendor_id": "com.acme", "message_id": "mood", "data": data}


@V2
async def test_each_monitored_event_is_one_row(house: House, version: OcppVersion) -> None:
    """N07: an event without a readable time has that of its arrival."""
    talk = await house.connect(version)

    await talk.say("NotifyEvent", _events(text(T0 - MINUTE), "yesterday"))

    kept = await house.events(talk, kind="monitor")
    assert [event["at"] for event in kept] == ["2026-01-01T09:59:00.000Z", "2026-01-01T10:00:00.000Z"]
    assert kept[0]["details"] == {
        "component": "Connector",
        "variable": "Temperature",
        "value": "71",
        "trigger": "alerting",
        "cleared": False,
        "tech_code": "T7",
        "tech_info": "",
        "evse": 1,
        "connector": 2,
    }


def _events(*times: str) -> dict[str, Any]:
    entries = [
        {
            "eventId": n,
            "timestamp": time,
            "trigger": "Alerting",
            "actualValue": "71",
            "techCode": "T7",
            "eventNotificationType": "HardWiredMonitor",
            "component": {"name": "Connector", "evse": {"id": 1, "connectorId": 2}},
            "variable": {"name": "Temperature"},
        }
        for n, time in enumerate(times)
    ]
    return {"generatedAt": text(T0), "seqNo": 0, "eventData": entries}
