"""How a run enters the queue: once, under a lock, also if its maker was killed before."""

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from dagster import (
    DagsterEvent,
    DagsterEventType,
    DagsterInstance,
    DagsterRun,
    DagsterRunStatus,
    SubmitRunContext,
)

from api.stack.layout import lay_out
from contracts.home import Home
from orchestration.dagster_internals.testing import (
    EmptyWorkspaceTarget,
    GrpcServerCodeLocationOrigin,
    RemoteJobOrigin,
    RemoteRepositoryOrigin,
)
from orchestration.dagster_internals.workspace import WorkspaceProcessContext
from orchestration.launcher.instances import open_instance
from orchestration.launcher.paths import queue_lock
from orchestration.launcher.queue import PromptQueueDaemon
from orchestration.launcher.queue_locks import locked_queue
from orchestration.settings import Settings

SECONDS = 60.0
LOCATION = GrpcServerCodeLocationOrigin("localhost", socket="x", location_name="framegate")
ORIGIN = RemoteJobOrigin(RemoteRepositoryOrigin(LOCATION, "__repository__"), "annotate")

Add = Callable[..., DagsterRun]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


@pytest.fixture
def context(home: Home, monkeypatch: pytest.MonkeyPatch) -> Iterator[WorkspaceProcessContext]:
    """As the daemon has it, without a code location."""
    monkeypatch.setenv("FRAMEGATE_HOME", str(home.root))
    monkeypatch.setenv("FRAMEGATE_DATABASE_URL", "")
    lay_out(home)
    with (
        open_instance(home.dagster) as instance,
        WorkspaceProcessContext(instance, EmptyWorkspaceTarget()) as context,
    ):
        yield context


@pytest.fixture
def instance(context: WorkspaceProcessContext) -> DagsterInstance:
    return context.instance


@pytest.fixture
def add(instance: DagsterInstance) -> Add:
    """Puts a run that was not submitted yet into Dagster."""

    def add(age: timedelta = timedelta(), origin: RemoteJobOrigin | None = ORIGIN) -> DagsterRun:
        made_at = datetime.now(UTC) - age
        run = DagsterRun("annotate", remote_job_origin=origin)
        return instance.run_storage.add_historical_run(run, made_at)

    return add


def _look_once(context: WorkspaceProcessContext) -> None:
    """What the daemon does before it looks at the queue."""
    loop = PromptQueueDaemon(Settings(), SECONDS).core_loop(context, threading.Event())
    next(loop)
    loop.close()  # type: ignore[attr-defined] # it is a generator


def _status(instance: DagsterInstance, run: DagsterRun) -> DagsterRunStatus:
    found = instance.get_run_by_id(run.run_id)
    assert found
    return found.status


def test_a_run_whose_maker_was_killed_enters_the_queue(
    context: WorkspaceProcessContext, instance: DagsterInstance, add: Add
) -> None:
    forgotten = add(timedelta(minutes=1))
    being_made, of_who_runs_it_itself = add(), add(timedelta(minutes=1), None)
    _look_once(context)

    assert _status(instance, forgotten) is DagsterRunStatus.QUEUED
    assert _status(instance, being_made) is DagsterRunStatus.NOT_STARTED
    assert _status(instance, of_who_runs_it_itself) is DagsterRunStatus.NOT_STARTED


def test_a_run_that_is_submitted_late_does_not_enter_the_queue_again(
    context: WorkspaceProcessContext, instance: DagsterInstance, add: Add
) -> None:
    """Its maker was slow, so the daemon had submitted it meanwhile, and launched it."""
    run = add(timedelta(minutes=1))
    submission = SubmitRunContext(run, context.create_request_context())
    _look_once(context)
    started = instance.get_run_by_id(run.run_id)
    assert started
    instance.report_run_failed(started)

    assert instance.run_coordinator.submit_run(submission).status is DagsterRunStatus.FAILURE
    assert _status(instance, run) is DagsterRunStatus.FAILURE
    enqueued = instance.all_logs(run.run_id, of_type=DagsterEventType.PIPELINE_ENQUEUED)
    assert len(enqueued) == 1


def test_a_run_whose_launch_was_cut_off_goes_back_into_the_queue(
    context: WorkspaceProcessContext, instance: DagsterInstance, add: Add
) -> None:
    """The database went away between the event that it starts and its launch."""
    run = add()
    starting = DagsterEvent(DagsterEventType.PIPELINE_STARTING.value, run.job_name)
    instance.report_dagster_event(starting, run_id=run.run_id)
    assert _status(instance, run) is DagsterRunStatus.STARTING

    _look_once(context)

    assert _status(instance, run) is DagsterRunStatus.QUEUED


def test_who_waits_for_a_lock_that_is_removed_holds_the_one_that_others_see(home: Home) -> None:
    """Else two would hold the lock at once, each another file."""
    waits, holds, seen = threading.Event(), threading.Event(), []

    def wait() -> None:
        waits.set()
        with locked_queue(home):
            seen.append(queue_lock(home).exists())
            holds.set()

    with locked_queue(home):
        waiting = threading.Thread(target=wait)
        waiting.start()
        assert waits.wait(SECONDS)
        assert not holds.wait(0.2)
        queue_lock(home).unlink()
    waiting.join(SECONDS)

    assert seen == [True]
