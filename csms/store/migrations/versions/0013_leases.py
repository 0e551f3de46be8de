"""Who holds an owed record, since when a live value is owed anew; what was told is found by its key."""

from alembic import op

from csms.store.migrations.frozen import run_sql

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Two columns and two indexes of the outbox."""
    run_sql(op, __file__)
