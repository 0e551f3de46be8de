"""Tariffs and the cost of sessions.

Orders that were told before costs were kept count: the next one of such a session has a higher revision.
"""

from alembic import op

from csms.store.migrations.frozen import run_sql

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Create the tables; note what cities were told already."""
    run_sql(op, __file__)
