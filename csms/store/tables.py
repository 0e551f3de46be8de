"""Every table, key and index; parts of them are in the `*_tables` beside this file. No statement and no rule.

Times are BIGINT microseconds UTC, energies integer Wh, yes/no is 0/1, structures are JSON text. Columns of
the tables that the writer fills stand in the order of its records' fields.
"""

from sqlalchemy import Column, ForeignKey, Index, LargeBinary, Text, UniqueConstraint

from csms.store import (
    account_tables,
    asset_tables,
    billing_tables,
    change_tables,
    command_tables,
    delivery_tables,
    device_tables,
    platform_order_tables,
    schedule_tables,
    tariff_tables,
    uptime_tables,
)
from csms.store.columns import (
    FRACTION,
    WHOLE,
    id_column,
    key,
    maybe,
    metadata,
    partial,
    ranged,
    table,
    whole,
    words,
)  # fmt: skip
from csms.store.outbox_tables import outbox, platform_state
from csms.store.station_words import DISABLED, IN_USE, NEVER_SEEN, OFFLINE, ONLINE, RETIRED
from csms.store.total_tables import session_due, session_hours, total_revisions, totals

__all__ = [
    "account_tables", "asset_tables", "billing_tables", "change_tables", "command_tables", "delivery_tables",
    "device_tables", "metadata", "outbox", "platform_order_tables", "platform_state", "schedule_tables",
    "session_due", "session_hours", "tariff_tables", "total_revisions", "totals", "uptime_tables",
]  # fmt: skip

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
    words("name", default=""),
    words("labels", default="{}"),  # JSON: {"name": "value"}
    maybe("retired_at"),  # out of every list; its history stays
    maybe("previous_until"),  # microseconds; until then its previous password does not end the current one
    Index("ix_charging_stations_operator", "operator_id", "identity"),
    Index("ix_charging_stations_site", "site_id", "identity"),
    partial("ix_charging_stations_away", "disconnected_at", where="disconnected_at IS NOT NULL"),
    Index("ix_charging_stations_vendor", "vendor", "identity"),
    Index("ix_charging_stations_model", "model", "identity"),
    Index("ix_charging_stations_firmware", "firmware_version", "identity"),
    Index("ix_charging_stations_version", "ocpp_version", "identity"),
    Index("ix_charging_stations_boot", "boot_status", "identity"),
    ranged("ix_charging_stations_prefix", "identity"),
    ranged("ix_charging_stations_name", "name"),
    ranged("ix_charging_stations_serial", "serial_number"),
    partial("ix_charging_stations_online", "identity", where=f"{IN_USE} AND {ONLINE}"),
    partial("ix_charging_stations_offline", "identity", where=f"{IN_USE} AND {OFFLINE}"),
    partial("ix_charging_stations_never_seen", "identity", where=f"{IN_USE} AND {NEVER_SEEN}"),
    partial("ix_charging_stations_disabled", "identity", where=f"{IN_USE} AND {DISABLED}"),
    partial("ix_charging_stations_retired", "identity", where=RETIRED),
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
    maybe("denied_at"),  # dismissed: it stays refused and out of the list
    Index("ix_quarantine_seen", "last_seen_at", "identity"),
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
    maybe("operator_id"),  # the only one at whose stations it may charge
    words("sites", default="[]"),  # JSON: codes of the only sites where it may charge; none: all
    words("note", default=""),
    partial("ix_id_tokens_operator", "operator_id", "folded", where="operator_id IS NOT NULL"),
    partial("ix_id_tokens_group", "group_token", "folded", where="group_token IS NOT NULL"),
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
    maybe("sites", Text),  # JSON: codes of the only sites; NULL is all of the operator's
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
    whole("heard", default=0),  # its messages up to this number are in the columns above
    UniqueConstraint("station_id", "start_key"),
    Index("ix_sessions_started", "started_at", "session_id"),
    Index("ix_sessions_operator", "operator_id", "started_at", "session_id"),
    Index("ix_sessions_site", "site_id", "started_at", "session_id"),
    Index("ix_sessions_station", "station_id", "started_at", "session_id"),
    Index("ix_sessions_token", "token_folded", "started_at", "session_id"),
    Index("ix_sessions_transaction", "transaction_id", "station_id"),
    partial("ix_sessions_open", "station_id", where="state <> 'ended'"),
    partial("ix_sessions_open_token", "token_folded", where="state = 'active'"),
    partial("ix_sessions_flagged", "started_at", "session_id", where="flags <> ''"),
    partial("ix_sessions_flagged_operator", "operator_id", "started_at", "session_id", where="flags <> ''"),
    partial("ix_sessions_flagged_site", "site_id", "started_at", "session_id", where="flags <> ''"),
    partial(
        "ix_sessions_orphans",
        "started_at",
        "session_id",
        where="flags LIKE '%,orphan-stop,%' AND flags NOT LIKE '%,dismissed,%'",
    ),
    partial("ix_sessions_unended", "started_at", "session_id", where="state <> 'ended'"),
)

# What stations said of sessions: evidence, readings and message log in one row, put down behind the last one.
# A row for each of them, or rows kept in the order of their sessions, write several times as many pages.
session_messages = table(
    "session_messages",
    id_column("entry_id"),
    whole("session_id"),
    whole("key_number"),  # of `key`; an index over numbers has a third of the pages of one over texts
    words("key"),  # '' says no more than the number and the request do
    whole("nth"),  # counts the messages of the session, in the order in which they were dealt with
    words("kind"),
    words("message_id"),
    maybe("at"),
    whole("received_at"),
    words("payload_hash"),  # '' is that of `request`
    words("facts"),  # '' says no more than the samples do
    maybe("answer", Text),  # NULL is an empty payload
    whole("evse"),
    words("samples"),  # [[at, [[kind, value], ...]], ...] or ''
    words("action"),
    words("request"),  # the payload as it came
    UniqueConstraint("session_id", "key_number"),
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

# Values that belong to no session. A row holds what one message said of one instant (`reading_rows`).
readings = table(
    "readings",
    key("station_id"),
    key("at"),
    key("evse"),
    key("part"),
    words("samples"),
    whole("received_at"),
    rowid=False,
)

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
    words("address", default=""),
    maybe("before", Text),
    Index("ix_audit_log_actor", "actor", "audit_id"),
    Index("ix_audit_log_subject", "subject", "audit_id"),
    Index("ix_audit_log_action", "action", "audit_id"),
    Index("ix_audit_log_at", "at", "audit_id"),
)

counters = table("counters", key("name", Text), whole("next"))

# Written and removed to see whether the database takes writes again.
probes = table("probes", key("probe_id"), words("filler"))
