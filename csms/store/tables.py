"""Every table, key and index; those of devices are in `device_tables`. No statement and no rule.

Times are BIGINT microseconds UTC, energies integer Wh, yes/no is 0/1, structures are JSON text. Columns of
the tables that the writer fills stand in the order of its records' fields.
"""

from sqlalchemy import Column, ForeignKey, Index, LargeBinary, Text, UniqueConstraint

from csms.store import device_tables
from csms.store.columns import FRACTION, WHOLE, id_column, key, maybe, metadata, partial, table, whole, words

__all__ = ["device_tables", "metadata"]

# ---- who and what: changes slowly ----

operators = table(
    "operators", id_column("operator_id"), words("code", unique=True), words("name"), words("time_zone")
)

sites = table(
    "sites",
    id_column("site_id"),
    whole("operator_id", ForeignKey("operators.operator_id")),
    words("code"),
    words("name"),
    maybe("latitude", FRACTION),
    maybe("longitude", FRACTION),
    UniqueConstraint("operator_id", "code"),
)

charging_stations = table(
    "charging_stations",
    id_column("station_id"),
    words("identity", unique=True),
    maybe("site_id", WHOLE, ForeignKey("sites.site_id")),
    maybe("operator_id", WHOLE, ForeignKey("operators.operator_id")),
    whole("enabled", default=1),
    words("boot_status", default="pending"),
    words("vendor", default=""),
    words("model", default=""),
    words("serial_number", default=""),
    words("firmware_version", default=""),
    words("boot_details", default="{}"),
    maybe("vendor_profile", Text),
    maybe("max_power_w"),
    whole("security_profile", default=1),
    whole("highest_profile", default=0),
    maybe("assume_version", Text),
    maybe("salt", LargeBinary),
    maybe("password_hash", LargeBinary),
    maybe("previous_salt", LargeBinary),
    maybe("previous_hash", LargeBinary),
    whole("hex_on_wire", default=0),
    whole("epoch", default=0),
    words("node", default=""),
    maybe("ocpp_version", Text),
    words("remote_address", default=""),
    maybe("connected_at"),
    maybe("last_seen_at"),
    maybe("disconnected_at"),
    whole("created_at"),
    Index("ix_charging_stations_operator", "operator_id", "identity"),
    Index("ix_charging_stations_site", "site_id", "identity"),
)

quarantine = table(
    "quarantine",
    key("identity", Text),
    whole("first_seen_at"),
    whole("last_seen_at"),
    whole("attempts"),
    words("remote_address"),
    words("reason"),
    words("headers"),  # JSON; what helps to tell what it is, no credential
    rowid=False,
)

id_tokens = table(
    "id_tokens",
    key("folded", Text),  # token.casefold(): compared without case
    words("token"),
    words("type"),
    words("status"),
    maybe("group_token", Text),
    maybe("expires_at"),
    whole("concurrent_limit"),
    whole("updated_at"),
    rowid=False,
)

api_keys = table(
    "api_keys",
    id_column("key_id"),
    words("name"),
    Column("key_hash", LargeBinary, nullable=False, unique=True),
    words("role"),
    maybe("operator_id", WHOLE, ForeignKey("operators.operator_id")),
    whole("created_at"),
    maybe("last_used_at"),
    maybe("revoked_at"),
)

# ---- charging sessions and what they are made of ----

sessions = table(
    "sessions",
    key("session_id"),
    whole("station_id", ForeignKey("charging_stations.station_id")),
    maybe("site_id"),
    maybe("operator_id"),
    words("ocpp_version"),
    words("transaction_id"),
    words("start_key"),
    whole("evse"),
    whole("connector"),
    words("token"),
    words("token_folded"),
    words("token_type"),
    words("authorization"),
    words("authorization_reason"),
    words("state"),
    whole("started_at"),
    whole("received_at"),
    maybe("ended_at"),
    maybe("end_received_at"),
    maybe("meter_start_wh"),
    maybe("meter_stop_wh"),
    maybe("energy_wh"),
    words("energy_source"),
    words("stop_reason"),
    words("flags"),  # `,gap,clock,` or empty
    whole("revision"),
    maybe("remote_start_id"),
    words("charging_state"),
    maybe("last_event_at"),
    maybe("suspected_at"),
    words("progress"),  # sequence numbers and meter state, as JSON
    UniqueConstraint("station_id", "start_key"),
    Index("ix_sessions_started", "started_at", "session_id"),
    Index("ix_sessions_operator", "operator_id", "started_at", "session_id"),
    Index("ix_sessions_site", "site_id", "started_at", "session_id"),
    Index("ix_sessions_station", "station_id", "started_at", "session_id"),
    Index("ix_sessions_token", "token_folded", "started_at", "session_id"),
    Index("ix_sessions_transaction", "station_id", "transaction_id"),
    partial("ix_sessions_open", "station_id", where="state <> 'ended'"),
    partial("ix_sessions_open_token", "token_folded", where="state = 'active'"),
    partial("ix_sessions_flagged", "started_at", "session_id", where="flags <> ''"),
    partial("ix_sessions_unended", "started_at", "session_id", where="state <> 'ended'"),
)

session_messages = table(
    "session_messages",
    key("session_id"),
    key("key", Text),
    words("kind"),
    words("message_id"),
    maybe("at"),
    whole("received_at"),
    words("payload_hash"),
    words("facts"),
    maybe("answer", Text),
    rowid=False,
)

session_revisions = table(
    "session_revisions",
    key("session_id"),
    key("revision"),
    whole("at"),
    words("cause"),
    maybe("old_energy_wh"),
    maybe("new_energy_wh"),
    words("snapshot"),
    rowid=False,
)

reading_kinds = table(
    "reading_kinds",
    key("kind_id"),
    words("measurand"),
    words("phase"),
    words("location"),
    words("context"),
)

# `owner_id` is a session, or minus a station for values that belong to no session: the readings of one
# session lie side by side, and no second index over the largest table is needed. A row holds what one message
# said of one instant (`reading_rows`).
readings = table(
    "readings",
    key("owner_id"),
    key("at"),
    key("evse"),
    key("part"),
    words("samples"),
    whole("received_at"),
    rowid=False,
)

# ---- totals ----

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

# ---- what people and platforms want ----

commands = table(
    "commands",
    id_column("command_id"),
    whole("station_id", ForeignKey("charging_stations.station_id")),
    words("actor"),
    words("kind"),
    words("body"),
    maybe("idempotency_key", Text),
    whole("created_at"),
    maybe("finished_at"),
    maybe("result", Text),
    maybe("detail", Text),
    UniqueConstraint("actor", "idempotency_key"),
    Index("ix_commands_station", "station_id", "command_id"),
)

audit_log = table(
    "audit_log",
    id_column("audit_id"),
    whole("at"),
    words("actor"),
    words("action"),
    words("subject"),
    words("details"),
)

outbox = table(
    "outbox",
    id_column("outbox_id"),
    words("platform"),
    words("kind"),
    words("key"),  # rows of one key are delivered in order
    words("about"),  # names the fact: the same fact is owed once
    words("payload"),
    whole("due_at"),
    whole("created_at"),
    words("state", default="waiting"),
    whole("attempts", default=0),
    maybe("sent_at"),
    maybe("answer", Text),
    maybe("last_error", Text),
    UniqueConstraint("platform", "kind", "about"),
    partial("ix_outbox_due", "due_at", where="state = 'waiting'"),
    partial("ix_outbox_key", "platform", "key", "outbox_id", where="state = 'waiting'"),
)

platform_state = table(
    "platform_state", key("platform", Text), whole("paused"), words("reason"), whole("changed_at")
)

counters = table("counters", key("name", Text), whole("next"))

# Written and removed to see whether the database takes writes again.
probes = table("probes", key("probe_id"), words("filler"))
