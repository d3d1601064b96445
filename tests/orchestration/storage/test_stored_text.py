"""Whatever is written into Dagster's tables, and whatever lies there already, can be read."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from dagster import DagsterInstance, DagsterRun, RunsFilter
from sqlalchemy import text

from api.stack.layout import lay_out
from contracts.home import Home
from orchestration.dagster_internals.tables import RunTagsTable
from orchestration.launcher.instances import open_instance

HALF = "caf\udce9"
WHOLE = "caf\ufffd"


@pytest.fixture
def dagster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[DagsterInstance]:
    home = Home(tmp_path)
    monkeypatch.setenv("FRAMEGATE_HOME", str(tmp_path))
    monkeypatch.delenv("FRAMEGATE_DATABASE_URL", raising=False)
    lay_out(home)
    with open_instance(home.dagster) as instance:
        yield instance


def test_tags_are_clean_when_they_are_read_back(dagster: DagsterInstance) -> None:
    run = dagster.add_run(DagsterRun("faces", tags={"user/name": HALF}))
    dagster.add_run_tags(run.run_id, {"user/more": f"{HALF}\x00"})

    found = dagster.get_run_by_id(run.run_id)

    assert found
    assert (found.tags["user/name"], found.tags["user/more"]) == (WHOLE, f"{WHOLE}\ufffd")


def test_events_are_clean_when_they_are_read_back(dagster: DagsterInstance) -> None:
    run = dagster.add_run(DagsterRun("faces"))
    dagster.report_engine_event(f"lost {HALF}", run)

    [entry] = dagster.all_logs(run.run_id)

    assert entry.dagster_event
    assert entry.dagster_event.message == f"lost {WHOLE}"


def test_what_lies_in_the_database_already_is_read_without_failing(
    dagster: DagsterInstance,
) -> None:
    """As an earlier version wrote it: JSON, in which Dagster escapes what UTF-8 lacks."""
    run = dagster.add_run(DagsterRun("faces", tags={"user/name": "cafX"}))
    dagster.report_engine_event("lost cafX", run)
    storages = [
        (dagster.run_storage.connect(), "runs", "run_body"),  # type: ignore[attr-defined] # SQL's
        (dagster.event_log_storage.run_connection(run.run_id), "event_logs", "event"),  # type: ignore[attr-defined] # SQL's
    ]
    for connected, table, column in storages:
        statement = f"UPDATE {table} SET {column} = replace({column}, 'cafX', 'caf\\udce9')"  # noqa: S608 - of names that stand above
        with connected as connection:
            connection.execute(text(statement))

    found = dagster.get_run_by_id(run.run_id)
    [entry] = dagster.all_logs(run.run_id)

    assert found
    assert found.tags["user/name"] == WHOLE
    assert entry.dagster_event
    assert entry.dagster_event.message == f"lost {WHOLE}"


def test_runs_are_found_by_the_text_that_they_were_given(dagster: DagsterInstance) -> None:

    run = dagster.add_run(DagsterRun("faces", tags={"user/name": HALF}))

    [found] = dagster.get_runs(RunsFilter(tags={"user/name": HALF}))

    assert found.run_id == run.run_id


def test_the_type_changes_no_table() -> None:
    assert str(RunTagsTable.c.value.type) == "TEXT"
