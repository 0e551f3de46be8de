"""Availability: connectors' time by state, exclusions, peaks of sites."""

from alembic import op

from csms.store.migrations.frozen import run_sql

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Create the tables, and the indexes by which a connector's history is read by time."""
    run_sql(op, __file__)
