"""A connection to PostgreSQL that breaks costs nothing, and a restart is survived."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from dagster import AssetKey, DagsterEventType, DagsterInstance, DagsterRun, RunsFilter, materialize
from sqlalchemy import event, text
from sqlalchemy.engine import Connection

from api.stack.layout import lay_out
from contracts.database import parse_url
from contracts.home import Home
from orchestration.launcher.instances import open_instance
from orchestration.storage import postgres as storages
from orchestration.storage.postgres import shared_engine
from tests.orchestration.postgres.conftest import CONNECTIONS, cuts
from tests.postgresql import Databases, PostgresServer

pytestmark = pytest.mark.postgres


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


def _cut_off(postgres: Databases, database_url: str) -> None:
    """All who are connected."""
    postgres.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name",
        name=parse_url(database_url).database,
    )
