"""What is kept of city platforms; an outbox that stays quick when it is long."""

from alembic import op

from csms.store.migrations.frozen import run_sql

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Create the tables, and the indexes and the column of the outbox."""
    run_sql(op, __file__)
