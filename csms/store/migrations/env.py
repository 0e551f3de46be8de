"""Alembic's entry: runs revisions on the connection that `migrations` hands over."""

from alembic import context

from csms.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,  # SQLite too: our engine begins transactions itself
)
with context.begin_transaction():
    context.run_migrations()
