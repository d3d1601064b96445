"""How Alembic reaches the database: by the connection that `upgrade` hands over."""

from alembic import context

from api.database.database import Table
from contracts.database import SCHEMA

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=Table.metadata,
    version_table_schema=SCHEMA if connection.dialect.name == "postgresql" else None,
)
with context.begin_transaction():
    context.run_migrations()
