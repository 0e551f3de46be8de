"""The first tables."""

from alembic import op

from csms.store.migrations.frozen import run_sql

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create every table and index."""
    run_sql(op, __file__)
