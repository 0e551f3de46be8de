"""Everything that is known of one charging station, for whoever looks at it alone. Never a secret."""

from typing import Any

from sqlalchemy import BindParameter, ColumnElement, Connection, bindparam, func, literal_column, select

from csms.store.device_tables import FAULT, connector_states, variables
from csms.store.jsontext import value_of
from csms.store.session_queries import UNENDED
from csms.store.tables import charging_stations, sessions
from csms.store.times import text_of

MOST_FAULTS = 10
LOOKED_BACK = 500  # changes of connectors among which the last faults are looked for

S = charging_stations
_STATION: BindParameter[int] = bindparam("station_id")
STATION = select(S).where(S.c.station_id == _STATION)
RUNNING = select(sessions).where(sessions.c.station_id == _STATION, UNENDED).order_by(sessions.c.session_id)
MODEL = select(func.count().label("number"), func.max(variables.c.received_at).label("latest")).where(
    variables.c.station_id == _STATION
)
_lately = (
    select(connector_states)
    .where(connector_states.c.station_id == _STATION)
    .order_by(connector_states.c.state_id.desc())
    .limit(LOOKED_BACK)
    .subquery()
)
_is_fault: ColumnElement[bool] = literal_column(f"({FAULT})")
FAULTS = select(_lately).where(_is_fault).order_by(_lately.c.state_id.desc()).limit(MOST_FAULTS)


def details(station_id: int, connection: Connection) -> dict[str, Any]:
    """What is shown beside the station's row of a list; the station must be there."""
    asked = {"station_id": station_id}
    row = connection.execute(STATION, asked).one()
    model = connection.execute(MODEL, asked).one()
    return {
        "connection": {
            "address": row.remote_address,
            "since": text_of(row.connected_at if row.disconnected_at is None else row.disconnected_at),
            "ocpp_version": row.ocpp_version,
            "highest_profile": row.highest_profile,
            "epoch": row.epoch,
            "node": row.node,
        },
        "credentials": {
            "has_password": row.password_hash is not None,
            "is_changing": row.previous_hash is not None,
            "hex_on_wire": bool(row.hex_on_wire),
        },
        "assume_version": row.assume_version,
        "vendor_profile": row.vendor_profile,
        "boot": value_of(row.boot_details),
        "created_at": text_of(row.created_at),
        "device_model": {"variables": model.number, "reported_at": text_of(model.latest)},
        "sessions": [_session(one) for one in connection.execute(RUNNING, asked)],
        "faults": [_fault(one) for one in connection.execute(FAULTS, asked)],
    }


def _session(row: Any) -> dict[str, Any]:
    return {
        "session_id": str(row.session_id),
        "evse": row.evse,
        "connector": row.connector,
        "state": row.state,
        "token": row.token,
        "started_at": text_of(row.started_at),
        "energy_wh": row.energy_wh,
    }


def _fault(row: Any) -> dict[str, Any]:
    return {
        "evse": row.evse,
        "connector": row.connector,
        "status": row.status,
        "error_code": row.error_code,
        "info": row.info,
        "vendor_error": row.vendor_error,
        "at": text_of(row.at),
    }
