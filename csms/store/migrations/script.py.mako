"""${message}."""

from alembic import op

from csms.store.migrations.frozen import run_sql

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}


def upgrade() -> None:
    """${message}."""
    run_sql(op, __file__)
