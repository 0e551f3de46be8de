"""Tables of what city platforms command, and of the envelopes they have sent.

Knows names and types; no statement and no rule. Conventions as in `tables`.
"""

from sqlalchemy import Index, Text, UniqueConstraint

from csms.store.columns import id_column, key, maybe, table, whole, words

# A charge that a platform asked for, by its StartChargeSeq, and the session that came of it. `start_by` and
# `stop_by`: when the platform must have heard the result.
platform_orders = table(
    "platform_orders",
    id_column("order_id"),
    words("platform"),
    words("start_charge_seq"),
    whole("station_id"),
    words("identity"),
    whole("evse"),
    whole("connector"),
    words("connector_id"),
    words("id_token"),
    words("token_folded"),
    maybe("remote_start_id"),
    maybe("session_id"),
    words("state"),  # starting, charging, finished, failed, unwanted (began after it was called failed)
    whole("asked_at"),
    whole("start_by"),
    maybe("start_answer", Text),
    maybe("stop_asked_at"),
    maybe("stop_by"),
    maybe("stop_answer", Text),
    words("failure"),
    whole("changed_at"),
    UniqueConstraint("platform", "start_charge_seq"),
    Index("ix_platform_orders_state", "platform", "state", "changed_at"),
    Index("ix_platform_orders_session", "session_id"),
    Index("ix_platform_orders_token", "token_folded"),
    Index("ix_platform_orders_station", "station_id", "asked_at"),
)

# Envelopes that were taken, so that no node takes one again within the time window.
platform_envelopes = table(
    "platform_envelopes",
    key("platform", Text),
    key("operator_id", Text),
    key("stamp", Text),
    key("seq", Text),
    key("sig", Text),
    whole("taken_at"),
    Index("ix_platform_envelopes_taken", "taken_at"),
    rowid=False,
)
