"""Tables of city platforms beside the outbox: tallies, order checks, disputes, ticks and cursors.

Knows names and types; no statement and no rule. Conventions as in `tables`; days are those of China, counted
from 1970-01-01.
"""

from sqlalchemy import Index, Text, UniqueConstraint

from csms.store.columns import id_column, key, maybe, partial, table, whole, words

# How deliveries went, by the day their cause arose: sums outlive the outbox rows they count.
platform_tallies = table(
    "platform_tallies",
    key("platform", Text),
    key("kind", Text),
    key("day"),
    whole("sent", default=0),
    whole("on_time", default=0),
    whole("accepted", default=0),
    whole("disputed", default=0),
    whole("dead", default=0),
    maybe("last_at"),  # when the platform took something last
    rowid=False,
)

order_checks = table(
    "order_checks",
    key("platform", Text),
    key("day"),
    words("check_order_seq"),
    whole("orders"),
    whole("energy_wh"),
    words("money"),  # CNY as decimal text
    whole("created_at"),
    maybe("answered_at"),
    maybe("disputes"),
    rowid=False,
)

disputes = table(
    "disputes",
    id_column("dispute_id"),
    words("platform"),
    words("source"),  # order-check, charge-order
    words("about"),  # the check or the revision it was told in
    words("start_charge_seq"),
    maybe("reason"),
    words("their_power"),  # kWh and CNY as they came
    words("their_money"),
    maybe("our_energy_wh"),
    maybe("our_money", Text),
    whole("raised_at"),
    maybe("resolved_at"),
    maybe("resolved_by", Text),
    maybe("note", Text),
    maybe("session_id"),  # whose order it is, where its name tells
    UniqueConstraint("platform", "source", "about", "start_charge_seq"),
    Index("ix_disputes_platform", "platform", "dispute_id"),
    Index("ix_disputes_order", "start_charge_seq", "dispute_id"),
    partial("ix_disputes_session", "session_id", where="session_id IS NOT NULL AND resolved_at IS NULL"),
    partial("ix_disputes_open", "platform", "dispute_id", where="resolved_at IS NULL"),
)

# Whoever inserts a tick runs the task this time: no leader is needed.
platform_ticks = table(
    "platform_ticks",
    key("task", Text),
    key("tick"),
    whole("at"),
    Index("ix_platform_ticks_at", "at"),
    rowid=False,
)

platform_cursors = table(
    "platform_cursors", key("name", Text), whole("position"), whole("changed_at"), rowid=False
)
