"""An operator's and a site's sessions with a flag, without reading all others."""

from alembic import op

from csms.store.migrations.frozen import run_sql

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """Two indexes of sessions."""
    run_sql(op, __file__)
