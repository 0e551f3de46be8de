"""What cities ask about assets, and where each was when."""

from alembic import op

from csms.store.migrations.frozen import run_sql

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Create tables and indexes; operators, sites and stations stay as they are, what is asked is unknown."""
    run_sql(op, __file__)
