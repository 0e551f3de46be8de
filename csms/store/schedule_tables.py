"""Tables of schedules and what they delivered. Knows names and types; no statement and no rule.

Conventions as in `tables`.
"""

from sqlalchemy import ForeignKey, Index, Text, UniqueConstraint

from csms.store.columns import WHOLE, id_column, maybe, partial, table, whole, words

schedules = table(
    "schedules",
    id_column("schedule_id"),
    words("name"),
    maybe("operator_id", WHOLE, ForeignKey("operators.operator_id")),  # NULL: of the whole network
    words("report"),
    words("options"),  # JSON of what the report takes
    words("form"),
    words("language"),
    words("time_zone"),
    words("every"),  # day, week, month
    whole("at_minute"),  # of the local day
    words("target"),  # folder, webhook
    words("address"),  # below the configured root, or a URL
    maybe("secret", Text),  # signs what goes to a webhook
    whole("enabled"),
    whole("created_at"),
    whole("changed_at"),
    maybe("removed_at"),
    whole("next_at"),  # when the next period's file is due
    partial("ix_schedules_next", "next_at", where="enabled = 1 AND removed_at IS NULL"),
)

deliveries = table(
    "deliveries",
    id_column("delivery_id"),
    whole("schedule_id", ForeignKey("schedules.schedule_id")),
    words("period"),  # 2026-01, 2026-01-05; with a name behind it where a person asked for it
    whole("since"),
    whole("until"),
    whole("created_at"),
    whole("due_at"),
    words("state", default="waiting"),  # waiting, delivered, failed
    whole("attempts", default=0),
    maybe("delivered_at"),
    words("file_name"),
    maybe("bytes"),
    maybe("sha256", Text),
    maybe("last_error", Text),
    UniqueConstraint("schedule_id", "period"),
    Index("ix_deliveries_schedule", "schedule_id", "delivery_id"),
    partial("ix_deliveries_due", "due_at", where="state = 'waiting'"),
    Index("ix_deliveries_created", "created_at"),
)
