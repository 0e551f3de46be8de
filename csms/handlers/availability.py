"""Connector states (OCPP functional block G)."""

from csms.domain.answers import DONE
from csms.domain.assets import ConnectorStatus
from csms.domain.charging_session import Change, Evidence
from csms.domain.ending import suspect
from csms.domain.events import ConnectorStatusChanged
from csms.handlers import owed
from csms.handlers.context import Handled, MessageInfo, Services, StationState
from csms.store.records import ConnectorStateRow


async def on_connector_status(
    s: Services, state: StationState, event: ConnectorStatusChanged, info: MessageInfo
) -> Handled:
    """StatusNotification. The same state again is not written again: some models repeat it for ever."""
    place = (event.evse, event.connector)
    if state.connectors.get(place) == _known(event):
        return Handled(DONE)
    row = ConnectorStateRow.of(state.station.station_id, event, info.arrived)
    reports = owed.connector_status(s, state.station, place, event.status, event.at or info.arrived)
    return Handled(
        DONE,
        records=(row, *reports),
        changes=_over(state, event, info),
        connector=(place, _known(event)),
    )


def _over(state: StationState, event: ConnectorStatusChanged, info: MessageInfo) -> tuple[Change, ...]:
    """A free connector is evidence that its session is over, whose stop may be lost or yet to come."""
    if event.status is not ConnectorStatus.AVAILABLE or event.evse == 0:
        return ()
    at = event.at or info.arrived
    found = (
        suspect(one, Evidence.CONNECTOR_AVAILABLE, at, info.arrived)
        for one in state.sessions.values()
        if one.evse == event.evse and one.connector == event.connector
    )
    return tuple(change for change in found if change is not None)


def _known(event: ConnectorStatusChanged) -> tuple[ConnectorStatus, str]:
    return event.status, event.error_code
