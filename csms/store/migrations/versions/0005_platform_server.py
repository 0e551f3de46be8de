"""What city platforms command, and the envelopes they have sent."""

from alembic import op

from csms.store.migrations.frozen import run_sql

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Create both tables."""
    run_sql(op, __file__)
