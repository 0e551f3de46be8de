"""The feed of changes, webhooks, alarms, and marks of sessions that want a person's eye."""

from alembic import op

from csms.store.migrations.frozen import run_sql

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Create the tables, and mark the sessions whose flags say so."""
    run_sql(op, __file__)
