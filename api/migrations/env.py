"""How Alembic reaches the database: by the connection that `upgrade` hands over."""

from alembic import context

from api.database import Table

context.configure(
    connection=context.config.attributes["connection"], target_metadata=Table.metadata
)
with context.begin_transaction():
    context.run_migrations()
