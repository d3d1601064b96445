"""What run monitoring is told of a run whose supervisor does not answer."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from dagster import (
    DagsterEvent,
    DagsterEventType,
    DagsterInstance,
    DagsterRun,
    DagsterRunStatus,
    EventLogEntry,
)

from contracts.home import Home
from contracts.run import FAILURE_TAG
from orchestration.dagster_internals.launcher import WorkerStatus
from orchestration.launcher import messages
from orchestration.launcher.run_launcher import LocalRunLauncher

Server = Callable[[Sequence[str]], AbstractContextManager[None]]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path.resolve())


@pytest.fixture
def instance() -> Iterator[DagsterInstance]:
    with DagsterInstance.ephemeral() as instance:
        yield instance


@pytest.fixture
def launcher(
    monkeypatch: pytest.MonkeyPatch, home: Home, instance: DagsterInstance
) -> LocalRunLauncher:
    monkeypatch.setenv("FRAMEGATE_HOME", str(home.root))
    launcher = LocalRunLauncher()
    launcher.register_instance(instance)
    return launcher


@pytest.fixture
def run(instance: DagsterInstance, origin_of: Callable[[str], Any]) -> DagsterRun:
    return instance.add_run(
        DagsterRun("speech", status=DagsterRunStatus.STARTED, remote_job_origin=origin_of("speech"))
    )


@pytest.fixture
def server(home: Home) -> Server:
    """Answers one question as the fork server does, which looks after these runs."""

    @contextmanager
    def serve(runs: Sequence[str]) -> Iterator[None]:
        with messages.listen(home.fork_server_socket) as listener:

            def answer() -> None:
                connection, _address = listener.accept()
                with connection:
                    messages.receive(connection)
                    messages.send(connection, {"runs": list(runs)})

            thread = threading.Thread(target=answer)
            thread.start()
            yield
            thread.join()

    return serve


def _tags(instance: DagsterInstance, run: DagsterRun) -> dict[str, Any]:
    found = instance.get_run_by_id(run.run_id)
    assert found is not None
    return dict(found.tags)


def test_while_the_server_is_away_nobody_is_given_up(
    launcher: LocalRunLauncher, run: DagsterRun
) -> None:
    assert launcher.check_run_worker_health(run).status is WorkerStatus.RUNNING


def test_a_run_that_the_server_speaks_for_is_left_to_it(
    launcher: LocalRunLauncher, run: DagsterRun, instance: DagsterInstance, server: Server
) -> None:
    with server([run.run_id]):
        health = launcher.check_run_worker_health(run)
    assert health.status is WorkerStatus.RUNNING
    assert FAILURE_TAG not in _tags(instance, run)


def test_a_run_whose_last_event_is_written_has_ended_as_that_says(
    launcher: LocalRunLauncher, run: DagsterRun, instance: DagsterInstance, server: Server
) -> None:
    """Its writer was killed between the event and the run's state."""
    event = DagsterEvent(DagsterEventType.PIPELINE_SUCCESS.value, run.job_name)
    instance.event_log_storage.store_event(
        EventLogEntry(None, "info", "", run.run_id, time.time(), dagster_event=event)
    )
    with server([]):
        health = launcher.check_run_worker_health(run)
    found = instance.get_run_by_id(run.run_id)
    assert health.status is WorkerStatus.SUCCESS
    assert found
    assert found.status is DagsterRunStatus.SUCCESS


def test_a_run_that_nobody_speaks_for_is_lost(
    launcher: LocalRunLauncher, run: DagsterRun, instance: DagsterInstance, server: Server
) -> None:
    with server([]):
        health = launcher.check_run_worker_health(run)
    assert health.status is WorkerStatus.FAILED
    assert "WORKER_LOST" in _tags(instance, run)[FAILURE_TAG]


def test_a_run_that_went_back_into_the_queue_since_it_was_read_is_not_lost(
    launcher: LocalRunLauncher,
    run: DagsterRun,
    instance: DagsterInstance,
    server: Server,
    home: Home,
) -> None:
    instance.report_dagster_event(DagsterEvent.job_enqueue(run), run_id=run.run_id)
    home.partial(run.run_id).mkdir(parents=True)

    with server([]):
        health = launcher.check_run_worker_health(run)

    assert health.status is WorkerStatus.RUNNING
    assert FAILURE_TAG not in _tags(instance, run)
    assert home.partial(run.run_id).exists()
