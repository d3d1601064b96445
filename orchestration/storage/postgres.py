"""Dagster's PostgreSQL storages over one small pool of connections for all three of them.

Dagster would connect anew for each statement, or keep up to 21 connections a storage in the
webserver.
"""

import os
from collections.abc import Mapping
from contextlib import closing, suppress
from functools import cache, partial
from typing import Any

from dagster import DagsterRun, EventLogEntry, serialize_value
from dagster_postgres import (
    DagsterPostgresStorage,
    PostgresEventLogStorage,
    PostgresRunStorage,
    PostgresScheduleStorage,
)
from sqlalchemy import URL, Engine, event, select
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.pool import ConnectionPoolEntry

from contracts.database import open_postgresql
from orchestration.dagster_internals.postgres import set_pg_statement_timeout
from orchestration.dagster_internals.runs import DagsterRunAlreadyExists
from orchestration.dagster_internals.storages import ASSET_EVENTS
from orchestration.dagster_internals.tables import Events, RunsTable, RunTagsTable
from orchestration.database.tables import create_tables
from orchestration.storage.launch import add_once
from orchestration.storage.steady_connection import (
    await_no_room,
    is_disk_full,
    once_there_is_room,
    steady,
)

#: Dagster tries six times to connect: so a run does not notice a server that is away for a minute.
_PATIENCE_SECONDS = 10.0


class PooledRunStorage(PostgresRunStorage):
    def __init__(self, url: str, engine: Engine) -> None:
        super().__init__(url, should_autocreate_tables=False)
        self._engine = engine

    def add_run(self, dagster_run: DagsterRun) -> DagsterRun:
        return add_once(dagster_run, self._add_run, self)

    def _add_run(self, run: DagsterRun) -> DagsterRun:
        """Once more if the connection broke: a run that is there by then is this one."""
        try:
            return super().add_run(run)
        except DBAPIError as error:
            if not error.connection_invalidated:
                raise
        with suppress(DagsterRunAlreadyExists):
            super().add_run(run)
        return run

    def _core_add_run(self, col_values: dict[str, Any], tags: Mapping[str, str]) -> None:
        """The run and its tags, which Dagster would commit one by one: nobody could find a run
        without tags.
        """
        rows = [{"run_id": col_values["run_id"], "key": k, "value": v} for k, v in tags.items()]
        with self.connect() as plain:
            connection = plain.execution_options(isolation_level="READ COMMITTED")
            try:
                with connection.begin():
                    connection.execute(RunsTable.insert().values(**col_values))
                    if rows:
                        connection.execute(RunTagsTable.insert(), rows)
            except IntegrityError as error:
                raise DagsterRunAlreadyExists from error

    def add_run_tags(self, run_id: str, new_tags: Mapping[str, str]) -> None:
        """Once more if the connection broke: a tag that is there is only set again."""
        try:
            super().add_run_tags(run_id, new_tags)
        except DBAPIError as error:
            if not error.connection_invalidated:
                raise
            super().add_run_tags(run_id, new_tags)

    def has_run_stats_index_cols(self) -> bool:
        """They came with a version long gone; Dagster reads the catalogue for each question."""
        return True

    def optimize_for_webserver(
        self,
        statement_timeout: int,
        pool_recycle: int,  # noqa: ARG002 - Dagster's signature
        max_overflow: int,  # noqa: ARG002 - Dagster's signature
    ) -> None:
        """The pool stays; a question that takes too long, or finds no room, is given up, for all
        three storages.
        """
        await_no_room(self._engine)
        event.listen(
            self._engine,
            "connect",
            lambda connection, _entry: set_pg_statement_timeout(connection, statement_timeout),
        )
        self._engine.dispose()

    def dispose(self) -> None:
        """Closes idle connections; later statements connect again."""
        self._engine.dispose()


class PooledEventLogStorage(PostgresEventLogStorage):
    def __init__(self, url: str, engine: Engine) -> None:
        super().__init__(url, should_autocreate_tables=False)
        self._engine = engine

    def store_event(self, event: EventLogEntry) -> None:
        """Once, even where the connection breaks or the disk fills while it is on its way."""
        try:
            super().store_event(event)
        except DBAPIError as error:
            if not (error.connection_invalidated or is_disk_full(error)):
                raise
            stored_id = self._stored_id(event)
            if stored_id is None:
                super().store_event(event)
            else:
                once_there_is_room(self._engine, partial(self._note_asset, event, stored_id))

    def _stored_id(self, event: EventLogEntry) -> int | None:
        query = select(Events.c.id).where(
            Events.c.run_id == event.run_id, Events.c.event == serialize_value(event)
        )
        with self.index_connection() as connection:
            return connection.scalar(query.limit(1))

    def _note_asset(self, event: EventLogEntry, event_id: int) -> None:
        """The other half of `store_event`, which is a transaction of its own."""
        if event.is_dagster_event and event.dagster_event_type in ASSET_EVENTS:
            with self.index_transaction() as connection:
                self._store_asset_event_tags(connection, [event], [event_id])
                self._store_asset_event(connection, event, event_id)

    def optimize_for_webserver(
        self, statement_timeout: int, pool_recycle: int, max_overflow: int
    ) -> None:
        """See `PooledRunStorage`."""


class PooledScheduleStorage(PostgresScheduleStorage):
    def __init__(self, url: str, engine: Engine) -> None:
        super().__init__(url, should_autocreate_tables=False)
        self._engine = engine

    def optimize_for_webserver(
        self, statement_timeout: int, pool_recycle: int, max_overflow: int
    ) -> None:
        """See `PooledRunStorage`."""


class PostgresStorage(DagsterPostgresStorage):
    """At most so many connections in this process, however many instances it opens."""

    def __init__(self, url: URL, connections: int) -> None:
        address = url.render_as_string(hide_password=False)
        super().__init__(address, should_autocreate_tables=False)
        engine = shared_engine(url, connections)
        create_tables(engine)
        self._run_storage = PooledRunStorage(address, engine)
        self._event_log_storage = PooledEventLogStorage(address, engine)
        self._schedule_storage = PooledScheduleStorage(address, engine)


@cache
def shared_engine(url: URL, connections: int) -> Engine:
    """One a process. A forked process leaves its parent's connections alone and makes its own."""
    engine = open_postgresql(
        url,
        name="dagster",
        connections=connections,
        patience=_PATIENCE_SECONDS,
        isolation_level="AUTOCOMMIT",
    )
    event.listen(engine, "connect", _count_in_utc)
    if "search_path" not in str(url.query.get("options")):
        event.listen(engine, "connect", _look_in_public)
    os.register_at_fork(after_in_child=partial(engine.dispose, close=False))
    return steady(engine)


def _count_in_utc(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    """Dagster takes the times that the server fills in for UTC, whatever zone that is in."""
    _execute(connection, "SET TIME ZONE 'UTC'")


def _look_in_public(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    """PostgreSQL looks first in the schema of the user's name, which may be the adapter's."""
    _execute(connection, "SET search_path TO public")


def _execute(connection: DBAPIConnection, statement: str) -> None:
    with closing(connection.cursor()) as cursor:
        cursor.execute(statement)
    connection.commit()
