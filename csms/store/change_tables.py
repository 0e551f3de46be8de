"""Tables of what goes on: the feed of changes, webhooks, alarms, marks of sessions that want a person's eye.

Knows names and types; no statement and no rule. Conventions as in `tables`.
"""

from sqlalchemy import Index, Text, text

from csms.store.columns import id_column, key, maybe, partial, table, whole, words

OPEN = text("cleared_at IS NULL")

# One row for each rare event, put down with its cause; never one for a reading. Numbers go up in the order
# in which they were given, which on PostgreSQL is not that of the commits (`changes`).
changes = table(
    "changes",
    id_column("number"),
    whole("at"),
    words("kind"),
    maybe("operator_id"),
    maybe("site_id"),
    maybe("station_id"),
    maybe("session_id"),
    words("body"),
)

webhooks = table(
    "webhooks",
    id_column("webhook_id"),
    words("url"),
    words("kinds"),  # `,session_ended,alarm_raised,` or empty for all
    maybe("operator_id"),
    words("secret"),
    whole("enabled"),
    whole("created_at"),
    whole("position"),  # everything up to this number was delivered
    whole("attempts"),
    whole("due_at"),
    words("paused"),  # why; empty is not paused
    maybe("last_at"),
    words("last_error"),
    words("lease"),
    whole("leased_until"),
)

webhook_deliveries = table(
    "webhook_deliveries",
    id_column("delivery_id"),
    whole("webhook_id"),
    whole("at"),
    whole("first"),
    whole("last"),
    whole("events"),
    whole("attempt"),
    maybe("status"),
    words("error"),
    whole("took_ms"),
    Index("ix_webhook_deliveries_webhook", "webhook_id", "delivery_id"),
)

alarms = table(
    "alarms",
    id_column("alarm_id"),
    words("kind"),
    words("subject"),  # of one kind, at most one alarm of a subject is open
    words("severity"),
    maybe("operator_id"),
    maybe("site_id"),
    maybe("station_id"),
    words("details"),
    whole("raised_at"),
    maybe("gone_at"),  # the cause is gone since, and the alarm not yet cleared
    maybe("cleared_at"),
    maybe("acknowledged_at"),
    maybe("acknowledged_by", Text),
    maybe("note", Text),
    Index("ix_alarms_operator", "operator_id", "alarm_id"),
    Index("ix_alarms_station", "station_id", "alarm_id"),
    Index(
        "ix_alarms_open", "kind", "subject", unique=True,
        sqlite_where=OPEN, postgresql_where=OPEN,
    ),
    partial("ix_alarms_cleared", "cleared_at", where="cleared_at IS NOT NULL"),
)  # fmt: skip

# Sessions that want a person's eye, by queue; a row is gone when it is put right, or dismissed.
session_marks = table(
    "session_marks",
    key("queue", Text),
    key("session_id"),
    maybe("operator_id"),
    maybe("site_id"),
    Index("ix_session_marks_operator", "operator_id", "queue", "session_id"),
    rowid=False,
)
