"""Boot, heartbeat, reports of the device model (OCPP functional block B)."""

import zlib
from dataclasses import replace

from csms.domain.answers import DONE, BootAnswer, TimeAnswer
from csms.domain.assets import BootStatus, ChargingStation
from csms.domain.charging_session import Evidence
from csms.domain.ending import suspect
from csms.domain.events import StationAlive, StationBooted, VariablesReported
from csms.handlers.context import Handled, MessageInfo, Services, StationState
from csms.store.change_rows import Kind, of_station
from csms.store.records import StationBootUpdate, StationEventRow, VariableRow
from csms.store.times import micros


async def on_booted(s: Services, state: StationState, event: StationBooted, info: MessageInfo) -> Handled:
    """B01-B03: remember what the station is, and say whether it may work.

    A boot alone ends no session, it makes an open one suspected: a stop after a power loss may still come
    (1.6 errata 3.36), or the session goes on (2.1 E17).
    """
    # Somebody may have approved it, or moved it to another site, since it connected.
    known = await s.registry.station_by_id(state.station.station_id) or state.station
    status = _status(s, known)
    station = replace(
        known,
        boot_status=status,
        vendor=event.vendor,
        model=event.model,
        firmware_version=event.firmware_version,
    )
    boot = StationBootUpdate.of(station, event, info.arrived)
    note = StationEventRow.of(
        station.station_id, "booted", info.arrived, info.arrived, {"reason": event.reason, **event.details}
    )
    body = {
        "boot_status": status.value,
        "reason": event.reason,
        "vendor": event.vendor,
        "model": event.model,
        "firmware_version": event.firmware_version,
    }
    news = of_station(Kind.STATION_BOOTED, station, micros(info.arrived), body)
    answer = BootAnswer(status, s.now(), _interval_s(s, station, status))
    suspected = (suspect(one, Evidence.BOOT, info.arrived, info.arrived) for one in state.sessions.values())
    changes = tuple(change for change in suspected if change is not None)
    return Handled(answer, records=(boot, note, news), changes=changes, station=station, booted=True)


async def on_alive(s: Services, state: StationState, event: StationAlive, info: MessageInfo) -> Handled:
    """Heartbeat: memory only. Last-seen times of all stations are written together."""
    return Handled(TimeAnswer(s.now()))


async def on_variables_reported(
    s: Services, state: StationState, event: VariablesReported, info: MessageInfo
) -> Handled:
    """B07/B08: one part of a report; each variable replaces what was known of it."""
    rows = tuple(VariableRow.of(state.station.station_id, v, info.arrived) for v in event.variables)
    return Handled(DONE, records=rows)


def _status(s: Services, station: ChargingStation) -> BootStatus:
    if station.boot_status is BootStatus.PENDING and s.settings.boot.approve:
        return BootStatus.ACCEPTED
    return station.boot_status


def _interval_s(s: Services, station: ChargingStation, status: BootStatus) -> int:
    """The interval, spread by identity: fleets that boot together do not march in step for ever."""
    boot = s.settings.boot
    base = boot.heartbeat_interval_s if status is BootStatus.ACCEPTED else boot.retry_interval_s
    share = zlib.crc32(station.identity.encode()) / 0xFFFFFFFF * 2 - 1
    return max(1, round(base * (1 + boot.jitter * share)))
