"""Dagster's storages on PostgreSQL: few connections, none forked along, restarts survived."""

import os
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from dagster import (
    AssetKey,
    DagsterEventType,
    DagsterInstance,
    DagsterRun,
    RunsFilter,
    asset,
    materialize,
)
from sqlalchemy import create_engine, event, inspect, text
from sqlalchemy.engine import Connection
from sqlalchemy.pool import NullPool

from api.stack.layout import lay_out
from contracts.database import RUN_CONNECTIONS, parse_url
from contracts.home import Home
from orchestration import postgres as storages
from orchestration.database.schema import version
from orchestration.launcher.instance import Instances, open_instance, open_instances
from orchestration.postgres import shared_engine
from tests.postgresql import Databases, PostgresServer

pytestmark = pytest.mark.postgres

CONNECTIONS = 4


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, database_url: str) -> Home:
    """Of a stack whose database is PostgreSQL."""
    monkeypatch.setenv("FRAMEGATE_HOME", str(tmp_path))
    monkeypatch.setenv("FRAMEGATE_DATABASE_URL", database_url)
    monkeypatch.setenv("FRAMEGATE_DATABASE_CONNECTIONS", str(CONNECTIONS))
    home = Home(tmp_path)
    lay_out(home)
    return home


@pytest.fixture
def instance(home: Home) -> Iterator[DagsterInstance]:
    with open_instance(home.dagster) as instance:
        yield instance


@pytest.fixture
def instances(home: Home) -> Iterator[Instances]:
    """As the warm server opens them, before it forks."""
    instances = open_instances(home.dagster)
    with instances.own, instances.worker:
        yield instances


@asset
def cuts() -> None:
    """Nothing but its events."""


def test_however_many_threads_ask_the_connections_stay_few(
    instance: DagsterInstance, postgres: Databases, database_url: str
) -> None:
    most = 0
    with ThreadPoolExecutor(16) as threads:
        asked = [threads.submit(instance.get_runs) for _ in range(400)]
        while not all(answer.done() for answer in asked):
            most = max(most, postgres.connections(database_url))

    assert 0 < most <= CONNECTIONS
    assert [answer.result() for answer in asked] == [[]] * 400


def test_all_instances_of_a_process_share_the_connections(
    home: Home, postgres: Databases, database_url: str
) -> None:
    opened = [open_instance(home.dagster) for _ in range(5)]
    for instance in opened:
        instance.get_runs()

    assert postgres.connections(database_url) == 1


def test_the_webserver_keeps_to_the_limit_and_gives_up_what_takes_too_long(
    instance: DagsterInstance, database_url: str
) -> None:
    instance.optimize_for_webserver(statement_timeout=50, pool_recycle=60, max_overflow=20)
    engine = shared_engine(parse_url(database_url), CONNECTIONS)

    with engine.connect() as connection, pytest.raises(Exception, match="statement timeout"):
        connection.execute(text("SELECT pg_sleep(5)"))
    assert instance.get_runs() == []


def test_nothing_is_connected_while_the_warm_server_forks(
    instances: Instances, postgres: Databases, database_url: str
) -> None:
    assert postgres.connections(database_url) == 0
    assert instances.own.get_runs() == []
    assert instances.worker.get_runs() == []


def test_a_runs_process_has_few_connections_and_they_suffice(
    instances: Instances, postgres: Databases, database_url: str
) -> None:
    assert materialize([cuts], instance=instances.own).success
    assert instances.own.get_latest_materialization_event(AssetKey("cuts")) is not None
    assert postgres.connections(database_url) <= RUN_CONNECTIONS


def test_a_child_uses_connections_of_its_own_and_leaves_its_parents(
    instance: DagsterInstance,
) -> None:
    ours = _backend(instance)
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writer, str(_backend(instance)).encode())
        os._exit(0)
    os.waitpid(child, 0)

    assert int(os.read(reader, 100)) != ours
    assert _backend(instance) == ours


def _backend(instance: DagsterInstance) -> int:
    """Which of the server's processes answers."""
    with instance.run_storage.connect() as connection:  # type: ignore[attr-defined]
        return int(connection.scalar(text("SELECT pg_backend_pid()")))


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


def test_what_is_sent_and_never_acknowledged_is_given_up(database_url: str) -> None:
    """The system would try for a quarter of an hour."""
    engine = shared_engine(parse_url(database_url), CONNECTIONS)
    with engine.connect() as connection:
        number = connection.connection.fileno()  # type: ignore[attr-defined] # psycopg2's
        with socket.socket(fileno=os.dup(number)) as here:
            patience = here.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)

    assert patience == 60_000


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


class Crash(BaseException):
    """The process is killed here."""


@pytest.mark.parametrize("statement", ["INSERT INTO runs", "INSERT INTO run_tags"])
def test_a_run_is_added_once_and_with_its_tags_when_the_connection_breaks(
    instance: DagsterInstance, postgres: Databases, database_url: str, statement: str
) -> None:
    broken = []

    @event.listens_for(shared_engine(parse_url(database_url), CONNECTIONS), "before_cursor_execute")
    def break_once(_connection: Connection, _cursor: object, executed: str, *_rest: object) -> None:
        if executed.startswith(f"{statement} ") and not broken:
            broken.append(executed)
            _cut_off(postgres, database_url)

    added = instance.add_run(DagsterRun("job", tags={"user/film": "one"}))

    assert broken
    [run] = instance.get_runs(RunsFilter(tags={"user/film": "one"}))
    assert run.run_id == added.run_id


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


def _cut_off(postgres: Databases, database_url: str) -> None:
    """All who are connected."""
    postgres.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name",
        name=parse_url(database_url).database,
    )


def test_an_event_is_stored_once_when_the_connection_breaks_behind_it(
    instance: DagsterInstance, postgres: Databases, database_url: str
) -> None:
    run = instance.add_run(DagsterRun("job"))
    engine = shared_engine(parse_url(database_url), CONNECTIONS)
    broken = []

    @event.listens_for(engine, "after_cursor_execute")
    def break_once(
        _connection: Connection, _cursor: object, statement: str, *_rest: object
    ) -> None:
        if statement.startswith("INSERT INTO event_logs") and not broken:
            broken.append(statement)
            _cut_off(postgres, database_url)

    instance.report_engine_event("It goes on.", run)

    assert broken
    assert len(instance.all_logs(run.run_id)) == 1


@pytest.mark.parametrize("broken_at", range(1, 29, 3))
def test_a_run_does_not_notice_when_its_connection_breaks(
    instance: DagsterInstance, postgres: Databases, database_url: str, broken_at: int
) -> None:
    """At any statement from its first event on; each is there once, whatever was cut off."""
    statements = 0

    @event.listens_for(shared_engine(parse_url(database_url), CONNECTIONS), "before_cursor_execute")
    def break_at(_connection: Connection, _cursor: object, statement: str, *_rest: object) -> None:
        nonlocal statements
        statements += bool(statements) or statement.startswith("INSERT INTO event_logs")
        if statements == broken_at:
            _cut_off(postgres, database_url)

    result = materialize([cuts], instance=instance, tags={"user/film": "one"})

    assert statements > broken_at
    assert result.success
    [run] = instance.get_runs()
    assert run.is_success
    types = [
        log.dagster_event_type for log in instance.all_logs(run.run_id) if log.is_dagster_event
    ]
    assert types.count(DagsterEventType.RUN_SUCCESS) == 1
    assert types.count(DagsterEventType.ASSET_MATERIALIZATION) == 1
    assert instance.get_latest_materialization_event(AssetKey("cuts")) is not None


def test_a_restart_of_the_server_is_waited_for(
    postgres_server: PostgresServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("FRAMEGATE_HOME", str(tmp_path))
    lay_out(Home(tmp_path))
    with postgres_server.databases.fresh() as url:
        monkeypatch.setenv("FRAMEGATE_DATABASE_URL", url)
        with open_instance(Home(tmp_path).dagster) as instance:
            run = instance.add_run(DagsterRun("job"))
            postgres_server.stop()
            with ThreadPoolExecutor() as threads:
                reported = threads.submit(instance.report_engine_event, "It goes on.", run)
                time.sleep(2.0)
                assert not reported.done()
                postgres_server.start()
                reported.result()

            assert len(instance.all_logs(run.run_id)) == 1


def test_a_statement_that_is_cut_off_waits_longer_than_one_attempt_to_connect(
    postgres_server: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An attempt takes 10 s, and there are six; here 0.5 s each, and the server is away for 2 s."""
    monkeypatch.setattr(storages, "_PATIENCE_SECONDS", 0.5)
    with postgres_server.databases.fresh() as url, ThreadPoolExecutor() as threads:
        engine = shared_engine(parse_url(url), CONNECTIONS)
        with engine.connect() as connection:
            connection.execute(text("SELECT 1"))
            postgres_server.stop()
            try:
                asked = threads.submit(connection.execute, text("SELECT 2"))
                time.sleep(2.0)
                assert not asked.done()
            finally:
                postgres_server.start()
            assert asked.result().scalar() == 2
