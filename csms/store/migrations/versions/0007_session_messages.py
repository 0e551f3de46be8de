"""What stations said of sessions in one table: evidence, readings and the message itself."""

from alembic import op

from csms.store.migrations.frozen import run_sql

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Put the messages and readings of sessions together; readings of no session stay by themselves."""
    run_sql(op, __file__)
