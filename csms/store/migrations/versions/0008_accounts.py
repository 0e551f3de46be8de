"""People, their signed-in browsers, and an audit log that can be searched."""

from alembic import op

from csms.store.migrations.frozen import run_sql

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Create the tables; add the columns and indexes."""
    run_sql(op, __file__)
