"""Tables of what is owed to city platforms, and which of them are paused. Knows names and types.

Conventions as in `tables`.
"""

from sqlalchemy import Index, Text, UniqueConstraint

from csms.store.columns import id_column, key, maybe, partial, table, whole, words

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
    maybe("sent_hash", Text),  # SHA-256 of the message as it was told
    maybe("leased_until"),  # in the hands of the worker whose lease ends then
    maybe("renewed_at"),  # a live value owed anew after it was told: when its newest cause arose
    UniqueConstraint("platform", "kind", "about"),
    Index("ix_outbox_platform", "platform", "kind", "outbox_id"),
    partial("ix_outbox_waiting", "outbox_id", where="state = 'waiting'"),
    partial("ix_outbox_dead", "outbox_id", where="state = 'dead'"),
    partial("ix_outbox_due", "platform", "due_at", where="state = 'waiting'"),
    partial("ix_outbox_key", "platform", "kind", "key", "outbox_id", where="state = 'waiting'"),
    partial("ix_outbox_told", "platform", "kind", "key", "outbox_id", where="sent_at IS NOT NULL"),
    partial(
        "ix_outbox_renewed",
        "platform",
        "kind",
        "renewed_at",
        where="state = 'waiting' AND renewed_at IS NOT NULL",
    ),
)

platform_state = table(
    "platform_state", key("platform", Text), whole("paused"), words("reason"), whole("changed_at")
)
