"""Nights as Dagster's scheduler sees them: one batch and one sweep, however many were missed."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from logging import getLogger
from pathlib import Path

import pytest
import yaml
from dagster import DagsterInstance, DagsterRunStatus, RunsFilter, instance_for_test

from contracts.project import PROJECT
from contracts.run import KIND_TAG, MAINTENANCE_JOBS, MAINTENANCE_KIND
from orchestration.dagster_internals.daemon import QueuedRunCoordinatorDaemon
from orchestration.dagster_internals.testing import (
    SCHEDULED_EXECUTION_TIME_TAG,
    InProcessCodeLocationOrigin,
    InProcessWorkspaceLoadTarget,
    LoadableTargetOrigin,
    create_test_daemon_workspace_context,
    freeze_time,
    launch_scheduled_runs,
)
from orchestration.dagster_internals.workspace import WorkspaceProcessContext

BATCH, SWEEP = MAINTENANCE_JOBS
_DEFINITIONS = """
from dagster import Definitions
from orchestration.annotation.jobs import build_jobs
from orchestration.maintenance.library_batch import build_library_batch
from orchestration.maintenance.retention_sweep import build_retention_sweep
from orchestration.automation.nightly_batch import build_nightly_batch
from orchestration.automation.nightly_retention import build_nightly_retention
from orchestration.settings import Settings
from pipelines.registry.catalog import load_catalog

settings = Settings({settings})
jobs = build_jobs(load_catalog(), settings.folders)
batch = build_library_batch(settings, load_catalog(), jobs)
sweep = build_retention_sweep(settings)
definitions = Definitions(
    jobs=[*jobs, batch, sweep],
    schedules=[build_nightly_batch(settings, batch), build_nightly_retention(settings, sweep)],
)
"""
_ON = "home={home!r}, library_roots=('/',), retention='dry-run', timezone='Europe/Berlin'"

# Dagster reads what it deprecates itself, of every schedule.
pytestmark = pytest.mark.filterwarnings("ignore:Property `ScheduleDefinition.environment_vars`")

Look = Callable[..., None]
OpenWorkspace = Callable[..., WorkspaceProcessContext]


@pytest.fixture
def instance() -> Iterator[DagsterInstance]:
    """With the limits of the live one; nobody empties its queue."""
    live = yaml.safe_load((PROJECT / "dagster.yaml").read_text())
    with instance_for_test({"concurrency": live["concurrency"]}) as instance:
        yield instance


@pytest.fixture
def open_workspace(tmp_path: Path, instance: DagsterInstance) -> Iterator[OpenWorkspace]:
    """What a daemon sees of definitions with these settings."""
    file = tmp_path / "nights.py"
    origin = InProcessCodeLocationOrigin(LoadableTargetOrigin(python_file=str(file)))
    with ExitStack() as stack:

        def open_workspace(settings: str = _ON) -> WorkspaceProcessContext:
            text = settings.format(home=str(tmp_path / "home"))
            file.write_text(_DEFINITIONS.format(settings=text))
            target = InProcessWorkspaceLoadTarget(origin)
            return stack.enter_context(create_test_daemon_workspace_context(target, instance))

        yield open_workspace


@pytest.fixture
def look() -> Look:
    """One look of a scheduler that has just started, at a day and hour of March 2026."""

    def look(workspace: WorkspaceProcessContext, day: int, hour: int) -> None:
        now = datetime(2026, 3, day, hour, tzinfo=UTC)
        with freeze_time(now):
            for error in launch_scheduled_runs(
                workspace, getLogger("nights"), end_datetime_utc=now, iteration_times={}
            ):
                assert error is None, error

    return look


def _nights(instance: DagsterInstance, job: str) -> list[str]:
    """Of the job's runs, newest first: the moment that each was due."""
    runs = instance.get_runs(RunsFilter(job_name=job, statuses=[DagsterRunStatus.QUEUED]))
    return [run.tags[SCHEDULED_EXECUTION_TIME_TAG] for run in runs]


def test_three_missed_nights_are_caught_up_once(
    instance: DagsterInstance, open_workspace: OpenWorkspace, look: Look
) -> None:
    workspace = open_workspace()
    look(workspace, day=1, hour=12)
    assert _nights(instance, BATCH) == _nights(instance, SWEEP) == []

    look(workspace, day=4, hour=9)
    look(workspace, day=4, hour=10)
    assert _nights(instance, BATCH) == ["2026-03-04T01:00:00+00:00"]
    assert _nights(instance, SWEEP) == ["2026-03-04T03:00:00+00:00"]

    look(workspace, day=5, hour=9)
    assert len(_nights(instance, BATCH)) == len(_nights(instance, SWEEP)) == 2


def test_a_second_daemon_starts_no_second_batch(
    instance: DagsterInstance, open_workspace: OpenWorkspace, look: Look
) -> None:
    workspace = open_workspace()
    look(workspace, day=1, hour=12)
    for daemon in (workspace, open_workspace()):
        look(daemon, day=2, hour=9)

    assert len(_nights(instance, BATCH)) == len(_nights(instance, SWEEP)) == 1


def test_batches_run_one_after_the_other(
    instance: DagsterInstance, open_workspace: OpenWorkspace, look: Look
) -> None:
    """By the queue, whoever started them; the sweep need not wait for the batch."""
    workspace = open_workspace()
    for day in (1, 2, 3):
        look(workspace, day=day, hour=12)
    assert len(_nights(instance, BATCH)) == 2

    released = QueuedRunCoordinatorDaemon(5)._get_runs_to_dequeue(
        instance, instance.get_concurrency_config(), fixed_iteration_time=None
    )
    assert sorted(run.job_name for run in released) == [BATCH, SWEEP]


def test_what_the_schedules_start_is_maintenance_and_no_job(
    instance: DagsterInstance, open_workspace: OpenWorkspace, look: Look
) -> None:
    workspace = open_workspace()
    look(workspace, day=1, hour=12)
    look(workspace, day=2, hour=9)
    runs = {run.job_name: run for run in instance.get_runs()}

    assert {run.tags[KIND_TAG] for run in runs.values()} == {MAINTENANCE_KIND}
    assert runs[SWEEP].run_config["ops"][SWEEP]["config"] == {"dry_run": True}


def test_without_a_library_and_retention_nothing_starts(
    instance: DagsterInstance, open_workspace: OpenWorkspace, look: Look
) -> None:
    workspace = open_workspace("home={home!r}")
    look(workspace, day=1, hour=12)
    look(workspace, day=4, hour=9)

    assert list(instance.get_runs()) == []
