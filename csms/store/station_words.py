"""States of charging stations in SQL, for indexes and for whoever asks. Knows columns' names only."""

# In the text of queries too, so that the planner sees that a partial index serves.
IN_USE = "retired_at IS NULL"
ONLINE = "connected_at IS NOT NULL AND disconnected_at IS NULL"
OFFLINE = "connected_at IS NOT NULL AND disconnected_at IS NOT NULL"
NEVER_SEEN = "connected_at IS NULL"
DISABLED = "enabled = 0"
RETIRED = "retired_at IS NOT NULL"
