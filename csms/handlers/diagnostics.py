"""What stations tell about themselves: security events, monitors, firmware and log uploads, vendor data."""

from dataclasses import replace
from datetime import datetime

from csms.domain.answers import DONE, DataAnswer
from csms.domain.events import (
    DataReceived,
    FirmwareStatusChanged,
    LogStatusChanged,
    MonitorEventsReported,
    SecurityEventRaised,
)
from csms.handlers.context import Handled, MessageInfo, Progress, Services, StationState
from csms.store.records import StationEventRow


async def on_security_event(
    s: Services, state: StationState, event: SecurityEventRaised, info: MessageInfo
) -> Handled:
    """A04: may come long after it happened, so both times are kept."""
    return _noted(state, info, "security", {"type": event.kind, "info": event.info}, event.at)


async def on_firmware_status(
    s: Services, state: StationState, event: FirmwareStatusChanged, info: MessageInfo
) -> Handled:
    """L01: progress of an update. A status repeated without change is not kept again."""
    return _progressed(state, info, "firmware", (event.status, event.request_id))


async def on_log_status(
    s: Services, state: StationState, event: LogStatusChanged, info: MessageInfo
) -> Handled:
    """N01: progress of a log upload; 1.6 diagnostics. A repeated status is not kept again."""
    return _progressed(state, info, "log", (event.status, event.request_id))


async def on_monitor_events(
    s: Services, state: StationState, event: MonitorEventsReported, info: MessageInfo
) -> Handled:
    """N07: each event of the list is one row."""
    rows = tuple(
        StationEventRow.of(
            state.station.station_id,
            "monitor",
            one.at or info.arrived,
            info.arrived,
            {
                "component": one.component,
                "variable": one.variable,
                "value": one.value,
                "trigger": one.trigger,
                "cleared": one.cleared,
                "tech_code": one.tech_code,
                "tech_info": one.tech_info,
                "evse": one.evse,
                "connector": one.connector,
            },
        )
        for one in event.events
    )
    return Handled(DONE, records=rows)


async def on_data(s: Services, state: StationState, event: DataReceived, info: MessageInfo) -> Handled:
    """DataTransfer: no vendor's data is understood; it is kept, and the station is told so."""
    details = {"vendor_id": event.vendor_id, "message_id": event.message_id, "data": event.data}
    noted = _noted(state, info, "data", details)
    return Handled(DataAnswer("unknown-vendor-id"), records=noted.records)


def _progressed(state: StationState, info: MessageInfo, kind: str, progress: Progress) -> Handled:
    """Some models repeat a status for ever; the last one of this connection is remembered."""
    if state.progress.get(kind) == progress:
        return Handled(DONE)
    status, request_id = progress
    noted = _noted(state, info, kind, {"status": status, "request_id": request_id})
    return replace(noted, progress=(kind, progress))


def _noted(
    state: StationState, info: MessageInfo, kind: str, details: dict[str, object], at: datetime | None = None
) -> Handled:
    when = at or info.arrived
    return Handled(
        DONE, records=(StationEventRow.of(state.station.station_id, kind, when, info.arrived, details),)
    )
