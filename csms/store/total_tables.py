"""Tables of what sessions add up to: hours of sessions, totals, and what is due to be computed.

Knows names and types; no statement and no rule. Conventions as in `tables`, from which these are imported.
"""

from sqlalchemy import Index, Text

from csms.store.columns import key, maybe, partial, table, whole

session_due = table(
    "session_due", key("session_id"), whole("due_at"), whole("version"), Index("ix_session_due_at", "due_at")
)

session_hours = table(
    "session_hours",
    key("session_id"),
    key("hour"),
    maybe("operator_id"),
    maybe("site_id"),
    whole("station_id"),
    whole("evse"),
    whole("connector"),
    whole("energy_wh"),
    whole("charging_s"),
    whole("starts"),
    Index("ix_session_hours_hour", "hour", "station_id", "evse", "connector"),
    Index("ix_session_hours_station", "station_id", "hour"),
    Index("ix_session_hours_site", "site_id", "hour"),
    rowid=False,
)

totals = table(
    "totals",
    key("period", Text),  # hour, day, month
    key("level", Text),  # connector, station, site, operator; no hours of the first two
    key("subject_id"),  # the station of a connector, else the record's own id
    key("evse"),  # 0 but for connectors
    key("connector"),
    key("start"),
    whole("until"),
    whole("operator_id"),
    whole("energy_wh"),
    whole("sessions"),
    whole("charging_s"),
    whole("revision"),
    whole("computed_at"),
    maybe("closed_at"),  # from then on a change is a revision
    Index("ix_totals_start", "period", "level", "start", "subject_id"),
    partial("ix_totals_unclosed", "until", where="closed_at IS NULL"),
    rowid=False,
)

total_revisions = table(
    "total_revisions",
    key("period", Text),
    key("level", Text),
    key("subject_id"),
    key("evse"),
    key("connector"),
    key("start"),
    key("revision"),
    whole("energy_wh"),
    whole("sessions"),
    whole("charging_s"),
    whole("computed_at"),
    rowid=False,
)
