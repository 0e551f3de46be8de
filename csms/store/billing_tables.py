"""Tables of what is billed by operator, site and day. Knows names and types; no statement and no rule.

A day is the operator's, by the session's start; money in fen. Conventions as in `tables`.
"""

from sqlalchemy import Index

from csms.store.columns import key, maybe, table, whole

PERIODS = ("sharp", "peak", "flat", "valley")
SUMS = (
    "sessions",
    "unpriced",
    "energy_wh",
    "elec_fen",
    "service_fen",
    "idle_fen",
    "parking_fen",
    "total_fen",
    *(f"{period}_{what}" for period in PERIODS for what in ("wh", "elec_fen", "service_fen")),
)

bill_days = table(
    "bill_days",
    key("operator_id"),
    key("start"),
    key("site_id"),  # 0: of no site
    *(whole(name) for name in SUMS),
    maybe("last_priced_at"),
    whole("computed_at"),
    rowid=False,
)

bill_due = table(
    "bill_due",
    key("operator_id"),
    key("start"),
    key("site_id"),
    whole("due_at"),
    whole("version"),
    Index("ix_bill_due_at", "due_at"),
    rowid=False,
)
