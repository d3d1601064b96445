"""Dagster's tables in PostgreSQL: whether they are there, and making them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Engine, MetaData, inspect, text
from sqlalchemy.dialects.postgresql import insert

from contracts.database import MIGRATION_LOCK
from orchestration.dagster_internals.postgres import (
    EVENT_ROW_MIGRATIONS,
    RUN_ROW_MIGRATIONS,
    SCHEDULE_ROW_MIGRATIONS,
    stamp_latest_revision,
)
from orchestration.dagster_internals.tables import (
    RunStorageSqlMetadata,
    ScheduleStorageSqlMetadata,
    SecondaryIndexMigrationTable,
    SqlEventLogStorageMetadata,
)


@dataclass(frozen=True)
class _Storage:
    """`telltale`: the table that is there when all of them are. `changes`: what Dagster does once
    to the rows of older versions.
    """

    telltale: str
    tables: MetaData
    changes: Iterable[str]


_STORAGES = (
    _Storage("runs", RunStorageSqlMetadata, RUN_ROW_MIGRATIONS),
    _Storage("event_logs", SqlEventLogStorageMetadata, EVENT_ROW_MIGRATIONS),
    _Storage("jobs", ScheduleStorageSqlMetadata, SCHEDULE_ROW_MIGRATIONS),
)


def has_tables(bind: Engine | Connection) -> bool:
    return not _missing(bind)


def create_tables(engine: Engine) -> None:
    """Creates the missing tables in one transaction, one process at a time."""
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
    stamp_latest_revision(connection)


def _missing(bind: Engine | Connection) -> list[_Storage]:
    there = inspect(bind).get_table_names()
    return [storage for storage in _STORAGES if storage.telltale not in there]
