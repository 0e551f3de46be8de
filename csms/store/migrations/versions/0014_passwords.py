"""Until when a station that has yet to restart may come with the password before its last."""

from alembic import op

from csms.store.migrations.frozen import run_sql

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """One column of charging stations."""
    run_sql(op, __file__)
