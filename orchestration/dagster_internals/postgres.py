"""Dagster's way with PostgreSQL, beyond the storages that dagster-postgres shows."""

from inspect import getfile

from dagster._core.storage.event_log.migration import (
    ASSET_DATA_MIGRATIONS,
    EVENT_LOG_DATA_MIGRATIONS,
)
from dagster._core.storage.runs.migration import OPTIONAL_DATA_MIGRATIONS, REQUIRED_DATA_MIGRATIONS
from dagster._core.storage.schedules.migration import (
    OPTIONAL_SCHEDULE_DATA_MIGRATIONS,
    REQUIRED_SCHEDULE_DATA_MIGRATIONS,
)
from dagster._core.storage.sql import stamp_alembic_rev
from dagster_postgres import PostgresRunStorage
from dagster_postgres.utils import (
    pg_alembic_config,
    retry_pg_connection_fn,
    set_pg_statement_timeout,
)
from sqlalchemy import Connection

__all__ = [
    "EVENT_ROW_MIGRATIONS",
    "RUN_ROW_MIGRATIONS",
    "SCHEDULE_ROW_MIGRATIONS",
    "retry_pg_connection_fn",
    "set_pg_statement_timeout",
    "stamp_latest_revision",
]

#: Names of what Dagster does once to the rows of older versions, by storage.
RUN_ROW_MIGRATIONS = (*REQUIRED_DATA_MIGRATIONS, *OPTIONAL_DATA_MIGRATIONS)
EVENT_ROW_MIGRATIONS = (*EVENT_LOG_DATA_MIGRATIONS, *ASSET_DATA_MIGRATIONS)
SCHEDULE_ROW_MIGRATIONS = (*REQUIRED_SCHEDULE_DATA_MIGRATIONS, *OPTIONAL_SCHEDULE_DATA_MIGRATIONS)


def stamp_latest_revision(connection: Connection) -> None:
    """Notes that the tables are as this Dagster makes them: Alembic has nothing to change."""
    stamp_alembic_rev(pg_alembic_config(getfile(PostgresRunStorage)), connection)
