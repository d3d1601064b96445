"""A run's own database: there from its first event on, and gone with the run."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from dagster import DagsterInstance, DagsterRun, instance_for_test

from orchestration.storage.chosen import ChosenStorage
from orchestration.storage.event_storage import TemplateEventLogStorage


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[DagsterInstance]:
    storage = {
        "module": ChosenStorage.__module__,
        "class": ChosenStorage.__name__,
        "config": {"base_dir": str(tmp_path)},
    }
    with instance_for_test({"storage": {"custom": storage}}) as instance:
        yield instance


def test_a_deleted_run_leaves_no_database_behind(instance: DagsterInstance) -> None:
    storage = instance.event_log_storage
    assert isinstance(storage, TemplateEventLogStorage)
    deleted, other = (instance.add_run(DagsterRun(job_name="any")) for _ in range(2))
    for run in (deleted, other):
        instance.report_run_failed(run, "as a test wants it")
    assert Path(storage.path_for_shard(deleted.run_id)).exists()
    instance.delete_run(deleted.run_id)

    folder = Path(storage.path_for_shard(deleted.run_id)).parent
    assert list(folder.glob(f"{deleted.run_id}*")) == []
    assert len(instance.all_logs(other.run_id)) == 1
    assert instance.all_logs(deleted.run_id) == []
