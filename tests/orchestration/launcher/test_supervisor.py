"""A supervisor in a process of its own, with a worker that does what the test says."""

import contextlib
import os
import signal
import time
import traceback
from collections.abc import Callable
from typing import Any

import psutil
import pytest
from dagster import DagsterEventType, DagsterInstance, DagsterRun, DagsterRunStatus

from contracts.home import Home
from contracts.run import FAILURE_TAG, RELEASE_TAG, Failure, failure_tag
from orchestration.annotation.under_way import UnderWay, tell_under_way
from orchestration.launcher import messages, retry, supervisor
from orchestration.launcher.instances import open_instances
from orchestration.launcher.lease import Lease
from orchestration.launcher.limits import Limits
from orchestration.launcher.memory_limit import MemoryLimits
from orchestration.launcher.paths import run_socket
from orchestration.launcher.reporter import Reporter
from orchestration.launcher.supervisor import Supervisor
from pipelines.registry.devices import Device
from pipelines.registry.spec import TimeLimit
from tests.orchestration.launcher.workers import (
    end_by_itself,
    fill_memory,
    fill_memory_in_child,
    go_on,
    stop_when_interrupted,
    swallow_signals,
)

SECONDS = 60.0
GPU = Device("GPU-1", "One", 8, 8)
UNLIMITED = Limits(memory=10**12)
MEGABYTE = 1000**2
Supervise = Callable[..., int]


@pytest.fixture
def run(dagster: DagsterInstance) -> DagsterRun:
    return dagster.add_run(DagsterRun("speech", status=DagsterRunStatus.STARTED))


@pytest.fixture
def supervise(
    dagster_home: Home, run: DagsterRun, inventory: Any, monkeypatch: pytest.MonkeyPatch
) -> Supervise:
    """Forks a supervisor whose worker does `work`; returns its process id."""

    def supervise(
        work: Callable[[], None], lease: Lease | None = None, limits: Limits = UNLIMITED
    ) -> int:
        monkeypatch.setattr(supervisor, "execute", lambda *_arguments: work())
        monkeypatch.setattr(retry, "_FIRST_PAUSE_SECONDS", 0.05)
        instances = open_instances(dagster_home.dagster)
        parent = os.getpid()
        pid = os.fork()
        if pid == 0:
            status = 1
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # the worker's, too, from its start
            try:
                Supervisor(
                    run.run_id,
                    dagster_home,
                    server=parent,
                    grace_seconds=0.2,
                    limits=limits,
                    memory_limits=MemoryLimits(None),
                    lease=lease,
                    inventory=inventory,
                    instances=instances,
                ).supervise()
                status = 0
            except Exception:  # noqa: BLE001 - it is the parent's to judge
                traceback.print_exc()
            finally:
                os._exit(status)
        return pid

    return supervise


def _is_alive(process: psutil.Process) -> bool:
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _await_end(pid: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def _found(dagster: DagsterInstance, run: DagsterRun) -> DagsterRun:
    found = dagster.get_run_by_id(run.run_id)
    assert found
    return found


def test_an_end_that_cannot_be_told_is_told_later_and_once(
    supervise: Supervise,
    dagster: DagsterInstance,
    run: DagsterRun,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The database goes away before the first try, and in the middle of the second one."""
    report, tries = Reporter.report_end, []

    def report_or_fail(self: Reporter, *arguments: Any) -> None:
        tries.append(1)
        if len(tries) > 1:
            report(self, *arguments)
        if len(tries) < 3:
            raise ConnectionError("the database is away")

    monkeypatch.setattr(Reporter, "report_end", report_or_fail)

    assert _await_end(supervise(end_by_itself)) == 0

    assert _found(dagster, run).status is DagsterRunStatus.FAILURE
    assert "exit code 3" in _found(dagster, run).tags[FAILURE_TAG]
    assert len(dagster.all_logs(run.run_id, of_type=DagsterEventType.PIPELINE_FAILURE)) == 1


def test_a_database_that_is_away_does_not_lengthen_the_grace(
    supervise: Supervise,
    dagster: DagsterInstance,
    dagster_home: Home,
    run: DagsterRun,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Saying that the run is being cancelled takes until the worker is dead."""
    outcome = dagster_home.root / "outcome"

    def wait_for_death(_self: DagsterInstance, _run: DagsterRun) -> None:
        [worker] = psutil.Process().children()
        latest = time.monotonic() + SECONDS / 2
        while (is_alive := _is_alive(worker)) and time.monotonic() < latest:
            time.sleep(0.01)
        outcome.write_text("alive" if is_alive else "dead")
        raise ConnectionError("the database is away")

    monkeypatch.setattr(DagsterInstance, "report_run_canceling", wait_for_death)
    pid = supervise(go_on)
    path = run_socket(dagster_home, run.run_id)
    end = time.monotonic() + SECONDS
    while not messages.is_anybody_there(path):
        assert time.monotonic() < end
        time.sleep(0.01)

    messages.ask(path, {"action": "cancel"}, timeout=SECONDS)

    assert _await_end(pid) == 0
    assert outcome.read_text() == "dead"
    assert _found(dagster, run).status is DagsterRunStatus.CANCELED


def test_what_a_crashed_run_held_on_its_gpu_is_not_made_up(
    supervise: Supervise, dagster: DagsterInstance, run: DagsterRun, inventory: Any
) -> None:
    inventory.present = (GPU,)

    assert _await_end(supervise(end_by_itself, Lease(run.run_id, GPU.uuid, 4))) == 0

    said = [entry.message for entry in dagster.all_logs(run.run_id)]
    assert any("not known" in message for message in said)
    assert RELEASE_TAG not in _found(dagster, run).tags


def test_an_end_that_can_never_be_told_ends_the_run_with_the_reason(
    supervise: Supervise,
    dagster: DagsterInstance,
    run: DagsterRun,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_arguments: Any) -> None:
        raise ValueError("Extra data: line 1")

    monkeypatch.setattr(Reporter, "report_end", fail)

    assert _await_end(supervise(end_by_itself)) == 0

    assert _found(dagster, run).status is DagsterRunStatus.FAILURE
    failure = Failure.from_tag(_found(dagster, run).tags[FAILURE_TAG])
    assert failure.code == "WORKER_LOST"
    assert "ValueError: Extra data: line 1" in failure.message


def test_what_anybody_but_the_worker_says_of_the_end_counts_for_nothing(
    supervise: Supervise, dagster: DagsterInstance, dagster_home: Home, run: DagsterRun
) -> None:
    path = run_socket(dagster_home, run.run_id)

    def work() -> None:
        if os.fork() == 0:
            messages.ask(path, {"action": "lost", "reason": "a lie"})
            os._exit(0)
        os.wait()
        for nonsense in ({"event": "{}"}, {"event": 5}, {}):
            with contextlib.suppress(messages.NobodyListensError):
                messages.ask(path, {"action": "ended", **nonsense})
        os._exit(3)

    assert _await_end(supervise(work)) == 0

    failure = Failure.from_tag(_found(dagster, run).tags[FAILURE_TAG])
    assert failure.message == "The run worker ended by itself with exit code 3."


@pytest.mark.parametrize("work", [fill_memory, fill_memory_in_child])
def test_a_run_that_fills_memory_fails_with_its_limit_and_its_peak(
    supervise: Supervise,
    dagster: DagsterInstance,
    run: DagsterRun,
    work: Callable[[], None],
) -> None:
    assert _await_end(supervise(work, limits=Limits(memory=700 * MEGABYTE))) == 0

    found = _found(dagster, run)
    failure = Failure.from_tag(found.tags[FAILURE_TAG])
    assert found.status is DagsterRunStatus.FAILURE
    assert failure.code == "MEMORY_LIMIT"
    assert "its limit is 0.70 GB, its peak was" in failure.message


@pytest.mark.parametrize("behave", [stop_when_interrupted, swallow_signals])
def test_a_pipeline_that_takes_too_long_fails_with_its_limit_and_the_medias_length(
    supervise: Supervise,
    dagster: DagsterInstance,
    dagster_home: Home,
    run: DagsterRun,
    behave: Callable[[], None],
) -> None:
    def work() -> None:
        with tell_under_way(dagster_home.under_way(run.run_id), UnderWay("speech", 2.5)):
            behave()

    limits = Limits(memory=UNLIMITED.memory, time={"speech": TimeLimit(0.1, factor=0.2)})

    assert _await_end(supervise(work, limits=limits)) == 0

    found = _found(dagster, run)
    failure = Failure.from_tag(found.tags[FAILURE_TAG])
    assert found.status is DagsterRunStatus.FAILURE
    assert failure.code == "TIME_LIMIT"
    assert failure.message.startswith("speech took longer than it may: its limit is 0.6 s")
    assert "media of 2.5 s" in failure.message
    assert found.tags[failure_tag("speech")] == found.tags[FAILURE_TAG]
    assert not dagster_home.under_way(run.run_id).exists()


def test_a_cancellation_before_the_limit_is_a_cancellation(
    supervise: Supervise, dagster: DagsterInstance, dagster_home: Home, run: DagsterRun
) -> None:
    """The limit passes during the grace, while the worker still swallows its interrupt."""

    def work() -> None:
        with tell_under_way(dagster_home.under_way(run.run_id), UnderWay("speech", 0.0)):
            swallow_signals()

    limits = Limits(memory=UNLIMITED.memory, time={"speech": TimeLimit(SECONDS)})
    pid = supervise(work, limits=limits)
    path = run_socket(dagster_home, run.run_id)
    end = time.monotonic() + SECONDS
    while not dagster_home.under_way(run.run_id).exists():
        assert time.monotonic() < end
        time.sleep(0.01)

    messages.ask(path, {"action": "cancel"}, timeout=SECONDS)

    assert _await_end(pid) == 0
    assert _found(dagster, run).status is DagsterRunStatus.CANCELED
