"""Dagster's tables in PostgreSQL: whether they are there, and making them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import dagster_postgres.run_storage.run_storage
from dagster._core.storage.event_log.migration import (
    ASSET_DATA_MIGRATIONS,
    EVENT_LOG_DATA_MIGRATIONS,
)
from dagster._core.storage.event_log.schema import SqlEventLogStorageMetadata
from dagster._core.storage.runs.migration import OPTIONAL_DATA_MIGRATIONS, REQUIRED_DATA_MIGRATIONS
from dagster._core.storage.runs.schema import RunStorageSqlMetadata, SecondaryIndexMigrationTable
from dagster._core.storage.schedules.migration import (
    OPTIONAL_SCHEDULE_DATA_MIGRATIONS,
    REQUIRED_SCHEDULE_DATA_MIGRATIONS,
)
from dagster._core.storage.schedules.schema import ScheduleStorageSqlMetadata
from dagster._core.storage.sql import stamp_alembic_rev
from dagster_postgres.utils import pg_alembic_config
from sqlalchemy import Connection, Engine, MetaData, inspect, text
from sqlalchemy.dialects.postgresql import insert

from contracts.database import MIGRATION_LOCK


@dataclass(frozen=True)
class _Storage:
    """`telltale`: the table that is there when all of them are. `changes`: what Dagster does once
    to the rows of older versions.
    """

    telltale: str
    tables: MetaData
    changes: Iterable[str]


_STORAGES = (
    _Storage("runs", RunStorageSqlMetadata, (*REQUIRED_DATA_MIGRATIONS, *OPTIONAL_DATA_MIGRATIONS)),
    _Storage(
        "event_logs",
        SqlEventLogStorageMetadata,
        (*EVENT_LOG_DATA_MIGRATIONS, *ASSET_DATA_MIGRATIONS),
    ),
    _Storage(
        "jobs",
        ScheduleStorageSqlMetadata,
        (*REQUIRED_SCHEDULE_DATA_MIGRATIONS, *OPTIONAL_SCHEDULE_DATA_MIGRATIONS),
    ),
)


def has_tables(bind: Engine | Connection) -> bool:
    return not _missing(bind)


def create_tables(engine: Engine) -> None:
    """What is missing: all of it or nothing, whoever is killed meanwhile; one process at a time."""
    if has_tables(engine):
        return
    with engine.connect() as plain:
        connection = plain.execution_options(isolation_level="READ COMMITTED")
        with connection.begin():
            connection.execute(
                text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": MIGRATION_LOCK}
            )
            if missing := _missing(connection):
                _create(connection, missing)


def _create(connection: Connection, missing: Iterable[_Storage]) -> None:
    now = datetime.now()  # noqa: DTZ005 - as Dagster writes it
    for storage in missing:
        storage.tables.create_all(connection)
        done = [{"name": name, "migration_completed": now} for name in storage.changes]
        connection.execute(insert(SecondaryIndexMigrationTable).on_conflict_do_nothing(), done)
    config = pg_alembic_config(dagster_postgres.run_storage.run_storage.__file__)
    stamp_alembic_rev(config, connection)


def _missing(bind: Engine | Connection) -> list[_Storage]:
    there = inspect(bind).get_table_names()
    return [storage for storage in _STORAGES if storage.telltale not in there]
