"""What becomes of runs that a crash left behind, in any state that a crash can leave them in."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from dagster import (
    DagsterEvent,
    DagsterEventType,
    DagsterInstance,
    DagsterRun,
    DagsterRunNotFoundError,
    DagsterRunStatus,
    EventLogEntry,
)

from contracts.home import Home
from contracts.run import CANCELLATION_FAILED_TAG
from orchestration.launcher import messages, recovery
from orchestration.launcher.paths import run_socket
from orchestration.launcher.recovery import UNDER_WAY, recover, runs_of_server, sweep


@pytest.fixture
def instance() -> Iterator[DagsterInstance]:
    with DagsterInstance.ephemeral() as instance:
        yield instance


@pytest.fixture
def run(instance: DagsterInstance, origin_of: Callable[[str], Any]) -> DagsterRun:
    """A run that is under way, of which no process is left."""
    return instance.add_run(
        DagsterRun("speech", status=DagsterRunStatus.STARTED, remote_job_origin=origin_of("speech"))
    )


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


def test_a_run_whose_supervisor_is_busy_is_left_to_it(
    instance: DagsterInstance, run: DagsterRun, tmp_path: Path
) -> None:
    """It may wait for processes that cannot be killed, and answer nobody meanwhile."""
    instance.report_run_canceling(run)

    with messages.listen(run_socket(Home(tmp_path), run.run_id)):
        recover(instance, Home(tmp_path), UNDER_WAY)

    assert _status(instance, run) is DagsterRunStatus.CANCELING


def test_a_run_that_the_server_speaks_for_is_left_to_it(
    instance: DagsterInstance, run: DagsterRun, tmp_path: Path
) -> None:
    recover(instance, Home(tmp_path), UNDER_WAY, spoken_for=[run.run_id])

    assert _status(instance, run) is DagsterRunStatus.STARTED


def test_a_run_that_goes_back_into_the_queue_can_be_cancelled_anew(
    instance: DagsterInstance, run: DagsterRun, tmp_path: Path
) -> None:
    instance.add_run_tags(run.run_id, {CANCELLATION_FAILED_TAG: "{}"})

    recover(instance, Home(tmp_path), UNDER_WAY)

    assert _status(instance, run) is DagsterRunStatus.QUEUED
    found = instance.get_run_by_id(run.run_id)
    assert found
    assert not found.tags[CANCELLATION_FAILED_TAG]


def test_a_run_that_is_settled_while_the_others_are_looked_at_is_settled_once(
    instance: DagsterInstance, run: DagsterRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stale = instance.get_runs()
    monkeypatch.setattr(instance, "get_runs", lambda _filter: stale)

    for _ in range(2):
        recover(instance, Home(tmp_path), UNDER_WAY)

    log = instance.all_logs(run.run_id, of_type=DagsterEventType.PIPELINE_ENQUEUED)
    assert len(log) == 1


def test_the_runs_of_a_busy_server_are_known_when_it_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Home(tmp_path)
    with messages.listen(home.fork_server_socket) as listener:

        def answer() -> None:
            for _ in range(2):  # whoever asked first has given up
                connection, _address = listener.accept()
                with connection, suppress(OSError):
                    messages.receive(connection)
                    if not impatient.is_set():
                        impatient.wait(60)
                    messages.send(connection, {"runs": ["run"]})

        impatient = threading.Event()
        patient = recovery.ask

        def ask(path: Path, message: Any) -> dict[str, Any]:
            try:
                return patient(path, message, timeout=60.0 if impatient.is_set() else 0.1)
            finally:
                impatient.set()

        monkeypatch.setattr(recovery, "ask", ask)
        server = threading.Thread(target=answer)
        server.start()

        assert runs_of_server(home) == {"run"}
        server.join()

    assert runs_of_server(home) == ()


def test_a_run_whose_last_event_was_written_just_before_the_crash_has_ended(
    instance: DagsterInstance, run: DagsterRun, tmp_path: Path
) -> None:
    """Dagster writes the event first and the run's state after; the crash came in between."""
    event = DagsterEvent(DagsterEventType.PIPELINE_SUCCESS.value, run.job_name)
    instance.event_log_storage.store_event(
        EventLogEntry(None, "info", "", run.run_id, time.time(), dagster_event=event)
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
