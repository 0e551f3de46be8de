"""Connector states (OCPP functional block G)."""

from dataclasses import replace
from datetime import datetime

from csms.domain.answers import DONE
from csms.domain.assets import ConnectorStatus
from csms.domain.charging_session import Change, Evidence
from csms.domain.clock import effective_time
from csms.domain.ending import suspect
from csms.domain.events import ConnectorStatusChanged
from csms.handlers import owed
from csms.handlers.context import Handled, MessageInfo, Services, StationState
from csms.store.change_rows import ChangeRow, Kind, of_station
from csms.store.records import ConnectorStateRow
from csms.store.times import micros, text_of


async def on_connector_status(
    s: Services, state: StationState, event: ConnectorStatusChanged, info: MessageInfo
) -> Handled:
    """StatusNotification. The same state again is not written again: some models repeat it for ever."""
    place = (event.evse, event.connector)
    # A station whose clock is wrong must not put a state into the next decade.
    at, _ = effective_time(event.at, info.arrived)
    changes = _over(state, event, at, info)
    if state.connectors.get(place) == _known(event):
        return Handled(DONE, changes=changes)
    row = ConnectorStateRow.of(state.station.station_id, replace(event, at=at), info.arrived)
    reports = owed.connector_status(s, state.station, place, event.status, at)
    news = _news(state, event, at, info)
    return Handled(DONE, records=(row, *reports, news), changes=changes, connector=(place, _known(event)))


def _over(
    state: StationState, event: ConnectorStatusChanged, at: datetime, info: MessageInfo
) -> tuple[Change, ...]:
    """A free connector is evidence that its session is over, whose stop may be lost or yet to come.

    A 2.x station may name the EVSE of a session and no connector.
    """
    if event.status is not ConnectorStatus.AVAILABLE or event.evse == 0:
        return ()
    found = (
        suspect(one, Evidence.CONNECTOR_AVAILABLE, at, info.arrived)
        for one in state.sessions.values()
        if one.evse == event.evse and one.connector in (event.connector, 0)
    )
    return tuple(change for change in found if change is not None)


def _news(state: StationState, event: ConnectorStatusChanged, at: datetime, info: MessageInfo) -> ChangeRow:
    body = {
        "evse": event.evse,
        "connector": event.connector,
        "status": event.status.value,
        "error_code": event.error_code,
        "info": event.info,
        "since": text_of(micros(at)),
    }
    return of_station(Kind.CONNECTOR_STATUS, state.station, micros(info.arrived), body)


def _known(event: ConnectorStatusChanged) -> tuple[ConnectorStatus, str]:
    return event.status, event.error_code
