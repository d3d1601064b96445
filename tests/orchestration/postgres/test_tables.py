"""Dagster's tables on PostgreSQL: where they belong, whole after a kill, their times in UTC."""

import time

import pytest
from dagster import DagsterInstance, DagsterRun
from sqlalchemy import create_engine, event, inspect, text
from sqlalchemy.engine import Connection
from sqlalchemy.pool import NullPool

from contracts.database import parse_url
from contracts.home import Home
from orchestration.database.schema import version
from orchestration.launcher.instances import open_instance
from orchestration.storage.postgres import shared_engine
from tests.orchestration.postgres.conftest import CONNECTIONS
from tests.postgresql import Databases

pytestmark = pytest.mark.postgres


class Crash(BaseException):
    """The process is killed here."""


@pytest.mark.parametrize(
    ("options", "schema"),
    [
        ("", "public"),
        ("?options=-c%20statement_timeout%3D60000", "public"),
        ("?options=-c%20search_path%3Delsewhere", "elsewhere"),
    ],
)
def test_a_user_named_as_the_adapters_schema_has_dagsters_tables_in_public(
    home: Home, database_url: str, monkeypatch: pytest.MonkeyPatch, options: str, schema: str
) -> None:
    """The search path of PostgreSQL begins with the schema of the user's name; a URL may have one
    of its own.
    """
    engine = create_engine(database_url, poolclass=NullPool)
    with engine.begin() as connection:
        for name in ("framegate", "elsewhere"):
            connection.execute(text(f"CREATE SCHEMA {name}"))
    monkeypatch.setenv("FRAMEGATE_DATABASE_URL", database_url + options)
    with open_instance(home.dagster) as instance:
        run = instance.add_run(DagsterRun("job"))
        assert instance.has_run(run.run_id)

    assert "runs" in inspect(engine).get_table_names(schema)


def test_a_first_start_that_is_killed_leaves_no_half_of_the_tables(
    home: Home, database_url: str
) -> None:
    """At any table: the next start makes all of them."""
    engine = shared_engine(parse_url(database_url), CONNECTIONS)

    @event.listens_for(engine, "before_cursor_execute")
    def die(_connection: Connection, _cursor: object, statement: str, *_rest: object) -> None:
        if "CREATE TABLE pending_steps" in statement:
            raise Crash

    with pytest.raises(Crash):
        open_instance(home.dagster)
    assert inspect(engine).get_table_names() == []
    event.remove(engine, "before_cursor_execute", die)
    with open_instance(home.dagster) as instance:
        assert version(instance).is_latest
        assert "pending_steps" in inspect(engine).get_table_names()
        assert not _unfinished(instance)


def _unfinished(instance: DagsterInstance) -> list[str]:
    """What Dagster would yet do to rows of an older version."""
    told: list[str] = []
    runs, events, schedules = (
        instance.run_storage,
        instance.event_log_storage,
        instance.schedule_storage,
    )
    assert schedules
    for change in (runs.migrate, runs.optimize, schedules.migrate, schedules.optimize):
        change(told.append)
    for rebuild in (events.reindex_events, events.reindex_assets):
        rebuild(told.append)
    return [line for line in told if line.startswith("Starting data migration")]


def test_who_is_killed_while_adding_a_run_leaves_none_without_tags(
    instance: DagsterInstance, database_url: str
) -> None:
    @event.listens_for(shared_engine(parse_url(database_url), CONNECTIONS), "before_cursor_execute")
    def die(_connection: Connection, _cursor: object, executed: str, *_rest: object) -> None:
        if executed.startswith("INSERT INTO run_tags "):
            raise Crash

    with pytest.raises(Crash):
        instance.add_run(DagsterRun("job", tags={"user/film": "one"}))

    assert instance.get_runs() == []


def test_times_are_utc_whatever_the_servers_zone(
    home: Home, postgres: Databases, database_url: str
) -> None:
    postgres.execute(
        f"ALTER DATABASE \"{parse_url(database_url).database}\" SET timezone TO 'Asia/Tokyo'"
    )
    with open_instance(home.dagster) as instance:
        run = instance.add_run(DagsterRun("job"))
        [record] = instance.get_run_records()

    assert record.dagster_run.run_id == run.run_id
    assert abs(record.create_timestamp.timestamp() - time.time()) < 600
