"""Names, labels and retirement of stations; lists by what stations are; commands to many; requests once."""

from alembic import op

from csms.store.migrations.frozen import run_sql

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Indexes for lists of a hundred thousand stations; tables for the rest."""
    run_sql(op, __file__)
