"""Tables of what charging stations are and do: connectors, events, variables, the message log.

Knows names and types; no statement and no rule. Conventions as in `tables`.
"""

from sqlalchemy import Index, Text

from csms.store.columns import id_column, key, maybe, partial, table, whole, words

FAULT = "status = 'faulted' OR error_code <> ''"  # in the text of queries too

connectors = table(
    "connectors",
    key("station_id"),
    key("evse"),
    key("connector"),
    words("status"),
    words("error_code"),
    words("info"),
    words("vendor_error"),
    whole("since"),
    whole("received_at"),
    Index("ix_connectors_status", "status", "station_id"),
    partial("ix_connectors_faulted", "station_id", where=FAULT),
    rowid=False,
)

connector_states = table(
    "connector_states",
    id_column("state_id"),
    whole("station_id"),
    whole("evse"),
    whole("connector"),
    words("status"),
    words("error_code"),
    words("info"),
    words("vendor_error"),
    whole("at"),
    whole("received_at"),
    Index("ix_connector_states_connector", "station_id", "evse", "connector", "state_id"),
    Index("ix_connector_states_time", "station_id", "evse", "connector", "at"),
)

station_events = table(
    "station_events",
    id_column("event_id"),
    whole("station_id"),
    words("kind"),
    whole("at"),
    whole("received_at"),
    words("details"),
    Index("ix_station_events_station", "station_id", "event_id"),
    Index("ix_station_events_kind", "kind", "event_id"),
    partial("ix_station_events_links", "station_id", "at", where="kind IN ('connected', 'disconnected')"),
)

variables = table(
    "variables",
    key("station_id"),
    key("component", Text),
    key("variable", Text),
    key("attribute", Text),
    maybe("value", Text),
    words("mutability"),
    maybe("characteristics", Text),
    whole("received_at"),
    rowid=False,
)

messages = table(
    "messages",
    id_column("entry_id"),
    whole("station_id"),
    whole("at"),
    words("direction"),
    words("message_id"),
    words("action"),
    words("request"),
    maybe("answer", Text),
    words("outcome"),
    maybe("latency_us"),
    Index("ix_messages_station", "station_id", "entry_id"),
    partial("ix_messages_authorize", "entry_id", where="action = 'Authorize'"),
)
