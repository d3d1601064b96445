"""`framegate db` on real databases: a home's history goes from SQLite into PostgreSQL whole."""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import pytest
from dagster import DagsterInstance, DagsterRun, DagsterRunStatus, materialize
from sqlalchemy import create_engine, inspect, text
from sqlalchemy.pool import NullPool

from api.auth.keys import create_key, list_keys
from api.auth.roles import Role
from api.database.copy import copy_tables
from api.database.database import open_database
from api.stack.layout import lay_out
from api.stack.lock import RunningStack, hold_home
from contracts.database import parse_url
from contracts.home import Home
from contracts.run import KIND, KIND_TAG
from orchestration.dagster_internals.sensor_state import RunStatusSensorCursor
from orchestration.webhooks.job_ends import Cursor, job_ends
from tests.conftest import Framegate
from tests.deep.cli.history import (
    ASSET,
    FINISHED,
    cuts,
    opened,
    sensors_have_seen_the_first,
    take_turns,
)
from tests.postgresql import Databases

pytestmark = pytest.mark.postgres


@dataclass(frozen=True)
class Copy:
    url: str
    rows: Mapping[str, int]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """With a history in SQLite: runs of an asset, runs that took turns, a sensor between them."""
    home = Home(tmp_path_factory.mktemp("history") / "home")
    lay_out(home)
    with closing(open_database(f"sqlite:///{home.database}")) as database:
        create_key(database, role=Role.ADMIN, name="root")
    with opened(home) as instance:
        for _ in range(2):
            assert materialize([cuts], instance=instance, tags={KIND_TAG: KIND}).success
        take_turns(instance)
        sensors_have_seen_the_first(instance)
        assert materialize([cuts], instance=instance).success
        instance.add_dynamic_partitions("films", ["a", "b"])
    return home


@pytest.fixture(scope="module")
def copy(framegate: Framegate, home: Home, postgres: Databases) -> Iterator[Copy]:
    """The copy of the history, and how many rows of which table came."""
    with postgres.fresh() as url:
        copied = framegate("db", "copy", "--json", "--home", home.root, FRAMEGATE_DATABASE_URL=url)
        assert copied.returncode == 0, copied.stderr
        yield Copy(url, json.loads(copied.stdout)["copied"])


def _facts(instance: DagsterInstance) -> Mapping[str, Any]:
    """What people and sensors see of the history: not the ids of events, but their order."""
    runs = {record.dagster_run.run_id: record for record in instance.get_run_records()}
    cursors = {
        state.instigator_name: state.sensor_instigator_data.cursor or ""
        for state in instance.all_instigator_state()
    }
    seen = RunStatusSensorCursor.from_json(cursors["done"]).record_id
    announced, _cursor = job_ends(instance, Cursor.read(cursors["job_ends"]))
    latest = instance.get_latest_materialization_event(ASSET)
    return {
        "runs": list(runs),
        "tags": {run_id: record.dagster_run.tags for run_id, record in runs.items()},
        "statuses": {run_id: record.dagster_run.status for run_id, record in runs.items()},
        "times": {run_id: (run.create_timestamp, run.end_time) for run_id, run in runs.items()},
        "events": {run_id: instance.all_logs(run_id) for run_id in runs},
        "latest": latest,
        "record": instance.fetch_materializations(ASSET, limit=1).records[0].event_log_entry,
        "unseen": [
            change.event_log_entry
            for change in instance.fetch_run_status_changes(
                FINISHED, cursor=None, limit=100, ascending=True
            ).records
            if change.storage_id > seen
        ],
        "announced": [end.run.run_id for end in announced],
        "partitions": instance.get_dynamic_partitions("films"),
    }


def test_the_history_is_the_same_in_the_copy(home: Home, copy: Copy) -> None:
    with opened(home) as instance:
        before = _facts(instance)
    with opened(home, copy.url) as instance:
        after = _facts(instance)

    assert len(before["unseen"]) == 2
    assert len(before["announced"]) == 1
    assert after == before
    assert copy.rows["runs"] == len(before["runs"]) == 5
    assert copy.rows["event_logs"] == sum(map(len, before["events"].values()))


def test_the_copys_history_goes_on(home: Home, copy: Copy) -> None:
    with opened(home, copy.url) as instance:
        run = instance.add_run(DagsterRun("job", status=DagsterRunStatus.SUCCESS))
        instance.report_engine_event("It goes on.", run)
        [event] = instance.get_records_for_run(run.run_id).records
        instance.delete_run(run.run_id)

    assert event.storage_id > copy.rows["event_logs"]


def test_keys_of_the_home_are_keys_of_the_copy(home: Home, copy: Copy) -> None:
    with closing(open_database(f"sqlite:///{home.database}")) as ours:
        keys = list_keys(ours)
    with closing(open_database(copy.url)) as theirs:
        assert list_keys(theirs) == keys


def test_nothing_is_copied_onto_something(framegate: Framegate, home: Home, copy: Copy) -> None:
    """What is there stays, also what a copy would have brought."""
    refused = framegate("db", "copy", "--home", home.root, FRAMEGATE_DATABASE_URL=copy.url)

    assert refused.returncode == 1
    assert "not empty" in refused.stderr
    with closing(open_database(copy.url)) as database:
        assert [key.name for key in list_keys(database)] == ["root"]


def test_a_copy_that_fails_leaves_the_target_empty(
    framegate: Framegate, home: Home, database_url: str
) -> None:
    damaged = home.dagster / "history" / "runs" / "damaged.db"
    damaged.write_text("not a database, but long enough to be taken for one" * 9)
    failed = framegate("db", "copy", "--home", home.root, FRAMEGATE_DATABASE_URL=database_url)
    damaged.unlink()
    with opened(home, database_url) as instance, closing(open_database(database_url)) as database:
        assert (instance.get_run_records(), list_keys(database)) == ([], [])

    assert failed.returncode == 1


def test_a_copy_that_was_killed_halfway_can_be_repeated(
    framegate: Framegate, home: Home, database_url: str
) -> None:
    """Our rows had arrived, and Dagster's had not."""
    with (
        closing(open_database(f"sqlite:///{home.database}")) as ours,
        closing(open_database(database_url)) as theirs,
        ours.read() as read,
        theirs.write() as write,
    ):
        copy_tables(read, write)
    copied = framegate("db", "copy", "--home", home.root, FRAMEGATE_DATABASE_URL=database_url)

    assert copied.returncode == 0, copied.stderr
    with opened(home, database_url) as instance, closing(open_database(database_url)) as database:
        assert len(instance.get_run_records()) == 5
        assert [key.name for key in list_keys(database)] == ["root"]


def test_nothing_is_copied_under_a_running_stack(
    framegate: Framegate, home: Home, database_url: str
) -> None:
    with hold_home(home.run, RunningStack(os.getpid(), "http://here")):
        refused = framegate("db", "copy", "--home", home.root, FRAMEGATE_DATABASE_URL=database_url)

    assert refused.returncode == 1
    assert "http://here" in refused.stderr


def test_check_tells_versions_contents_and_folders_that_do_not_agree(
    framegate: Framegate, home: Home, copy: Copy
) -> None:
    (home.jobs / "of-nobody").mkdir()
    checked = framegate(
        "db", "check", "--json", "--home", home.root, FRAMEGATE_DATABASE_URL=copy.url
    )
    assert checked.returncode == 0, checked.stdout
    checks = {check["name"]: check for check in json.loads(checked.stdout)["checks"]}

    assert checks["database"]["found"].startswith("PostgreSQL")
    assert "5 runs" in checks["contents"]["found"]
    assert checks["connections"]["state"] == "ok"
    assert checks["folders"]["found"] == "of-nobody without a run"
    assert "completed, but without a folder" in checks["results"]["found"]


def test_check_changes_nothing(framegate: Framegate, home: Home, database_url: str) -> None:
    """Not even where there are keys, and Dagster was never started."""
    open_database(database_url).close()
    checked = framegate(
        "db", "check", "--json", "--home", home.root, FRAMEGATE_DATABASE_URL=database_url
    )
    assert checked.returncode == 0, checked.stdout
    checks = {check["name"]: check for check in json.loads(checked.stdout)["checks"]}

    assert checks["Dagster's tables"]["found"] == "made at the first start"
    engine = create_engine(parse_url(database_url), poolclass=NullPool)
    assert inspect(engine).get_table_names("public") == []


def test_migrate_says_what_the_tables_are_at_and_finishes_what_was_cut_off(
    framegate: Framegate, home: Home, database_url: str
) -> None:
    """A migration of Dagster's changes the tables first, then their rows."""
    with opened(home, database_url) as instance:
        engine = create_engine(parse_url(database_url), poolclass=NullPool)
        with engine.begin() as connection:
            connection.execute(text("DELETE FROM secondary_indexes WHERE name = 'run_partitions'"))
        assert not instance.run_storage.has_built_index("run_partitions")  # type: ignore[attr-defined]
    migrated = framegate(
        "db", "migrate", "--json", "--home", home.root, FRAMEGATE_DATABASE_URL=database_url
    )

    assert migrated.returncode == 0, migrated.stderr
    assert json.loads(migrated.stdout)["framegate"] == "0002"
    with opened(home, database_url) as instance:
        assert instance.run_storage.has_built_index("run_partitions")  # type: ignore[attr-defined]
