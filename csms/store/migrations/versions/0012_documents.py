"""What is billed by site and day, and reports that are delivered by schedules."""

from alembic import op

from csms.store.migrations.frozen import run_sql

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Days of bills are due for every day that has totals; they are computed in the background."""
    run_sql(op, __file__)
