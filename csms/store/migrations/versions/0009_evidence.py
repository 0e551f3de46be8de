"""What an operator's desk searches by: transaction ids, orphan stops, disputed sessions, owners of tokens."""

from alembic import op

from csms.store.migrations.frozen import run_sql

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """One index turned round, partial ones for what is rare, columns of id tokens and disputes."""
    run_sql(op, __file__)
