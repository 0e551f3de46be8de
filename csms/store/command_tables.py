"""Tables of commands to many stations, and of requests that are safe to repeat.

Knows names and types; no statement and no rule. Conventions as in `tables`.
"""

from sqlalchemy import ForeignKey, Index, LargeBinary, Text

from csms.store.columns import WHOLE, id_column, key, maybe, partial, table, whole, words

command_batches = table(
    "command_batches",
    id_column("batch_id"),
    maybe("operator_id", WHOLE, ForeignKey("operators.operator_id")),  # whose stations alone it may reach
    words("actor"),
    words("command"),  # the body as it was given, JSON
    words("selection"),  # how its stations were chosen, JSON; for people
    whole("per_s"),
    whole("concurrency"),
    maybe("stop_after"),  # failures
    words("state"),  # running, stopped, cancelled or finished
    whole("next_at"),  # from when the next items may be taken: keeps the rate over all nodes
    whole("created_at"),
    maybe("finished_at"),
    partial("ix_command_batches_running", "batch_id", where="state = 'running'"),
    Index("ix_command_batches_operator", "operator_id", "batch_id"),
)

command_batch_items = table(
    "command_batch_items",
    id_column("item_id"),
    whole("batch_id", ForeignKey("command_batches.batch_id")),
    whole("station_id", ForeignKey("charging_stations.station_id")),
    words("state", default="waiting"),  # waiting, sent, done or cancelled
    maybe("result", Text),
    maybe("detail", Text),
    whole("attempts", default=0),
    maybe("leased_until"),  # of an item that is sent: after this nobody waits for its answer any more
    maybe("finished_at"),
    Index("ix_command_batch_items_state", "batch_id", "state", "item_id"),
    Index("ix_command_batch_items_result", "batch_id", "result", "item_id"),
    partial("ix_command_batch_items_sent", "leased_until", where="state = 'sent'"),
    Index("uq_command_batch_items_station", "batch_id", "station_id", unique=True),
)

idempotency_keys = table(
    "idempotency_keys",
    key("actor", Text),
    key("idempotency_key", Text),
    words("digest"),  # of method, path and body
    whole("created_at"),
    maybe("status"),  # NULL: not answered yet
    maybe("media_type", Text),
    maybe("answer", LargeBinary),
    Index("ix_idempotency_keys_created", "created_at"),
    rowid=False,
)
