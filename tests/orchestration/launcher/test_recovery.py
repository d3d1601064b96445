"""What becomes of runs that a crash left behind, in any state that a crash can leave them in."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from dagster import DagsterEvent, DagsterEventType, DagsterInstance, DagsterRun, DagsterRunStatus
from dagster._core.errors import DagsterRunNotFoundError
from dagster._core.events.log import EventLogEntry
from dagster._time import get_current_timestamp

from contracts.home import Home
from orchestration.launcher.recovery import UNDER_WAY, recover, sweep


@pytest.fixture
def instance() -> Iterator[DagsterInstance]:
    with DagsterInstance.ephemeral() as instance:
        yield instance


@pytest.fixture
def run(instance: DagsterInstance) -> DagsterRun:
    """A run that is under way, of which no process is left."""
    return instance.add_run(DagsterRun(job_name="speech", status=DagsterRunStatus.STARTED))


def _status(instance: DagsterInstance, run: DagsterRun) -> DagsterRunStatus:
    found = instance.get_run_by_id(run.run_id)
    assert found is not None
    return found.status


def test_a_run_that_was_being_cancelled_is_cancelled(
    instance: DagsterInstance, run: DagsterRun, tmp_path: Path
) -> None:
    instance.report_run_canceling(run)

    recover(instance, Home(tmp_path), UNDER_WAY)

    assert _status(instance, run) is DagsterRunStatus.CANCELED


def test_a_run_whose_last_event_was_written_just_before_the_crash_has_ended(
    instance: DagsterInstance, run: DagsterRun, tmp_path: Path
) -> None:
    """Dagster writes the event first and the run's state after; the crash came in between."""
    event = DagsterEvent(DagsterEventType.PIPELINE_SUCCESS.value, run.job_name)
    instance.event_log_storage.store_event(
        EventLogEntry(None, "info", "", run.run_id, get_current_timestamp(), dagster_event=event)
    )
    assert _status(instance, run) is DagsterRunStatus.STARTED

    recover(instance, Home(tmp_path), UNDER_WAY)

    assert _status(instance, run) is DagsterRunStatus.SUCCESS
    log = instance.all_logs(run.run_id, of_type=DagsterEventType.PIPELINE_SUCCESS)
    assert len(log) == 1


def test_what_ended_runs_had_begun_to_write_is_swept_away(
    instance: DagsterInstance, tmp_path: Path
) -> None:
    home = Home(tmp_path)
    failed = instance.add_run(DagsterRun("a", status=DagsterRunStatus.FAILURE))
    started = instance.add_run(DagsterRun("a", status=DagsterRunStatus.STARTED))
    deleted = "0b5ad1a6-9c0f-4f9e-8a56-3d7c0e1f2a34"
    for run_id in (failed.run_id, started.run_id, deleted):
        (home.partial(run_id) / "face_detection").mkdir(parents=True)
        (home.results(run_id)).mkdir()
    sweep(instance, home)
    assert not home.partial(failed.run_id).exists()
    assert not home.partial(deleted).exists()
    assert home.partial(started.run_id).exists()
    assert home.results(failed.run_id).exists()


def test_a_run_that_cannot_be_settled_does_not_keep_others_from_it(
    instance: DagsterInstance, run: DagsterRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody may delete a run just when it is looked at."""
    newer = instance.add_run(DagsterRun(job_name="speech", status=DagsterRunStatus.STARTED))
    instance.report_run_canceling(run)
    read_log = instance.get_records_for_run

    def read_or_fail(run_id: str, **arguments: Any) -> Any:
        if run_id == newer.run_id:
            raise DagsterRunNotFoundError(invalid_run_id=run_id)
        return read_log(run_id, **arguments)

    monkeypatch.setattr(instance, "get_records_for_run", read_or_fail)
    recover(instance, Home(tmp_path), UNDER_WAY)

    assert _status(instance, run) is DagsterRunStatus.CANCELED
