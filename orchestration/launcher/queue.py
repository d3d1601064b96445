"""Dagster's run queue without its waiting: a submitted run wakes the daemon that launches it.

Dequeuing and cancelling take the same lock, so that a run cancelled in the queue never starts.
Entering the queue has a lock of its own, as launching may take a while: a run enters it once,
whoever submits it and however often.
"""

import fcntl
import os
import select
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from threading import Event
from typing import IO, Any

from dagster import DagsterInstance, DagsterRun, DagsterRunStatus, RunsFilter
from dagster._core.run_coordinator import QueuedRunCoordinator, SubmitRunContext
from dagster._core.workspace.context import BaseWorkspaceRequestContext, IWorkspaceProcessContext
from dagster._daemon.daemon import DaemonIterator
from dagster._daemon.run_coordinator.queued_run_coordinator_daemon import (
    QueuedRunCoordinatorDaemon,
)
from dagster._time import get_current_datetime

from contracts.home import Home
from contracts.run import WAITING_TAG
from orchestration.asset_runs import complete_asset_run
from orchestration.disk_space import has_room
from orchestration.launcher import messages
from orchestration.launcher.lease import Wait
from orchestration.launcher.need import need_of
from orchestration.launcher.paths import queue_lock, queue_socket
from orchestration.launcher.placement import place
from orchestration.settings import Settings
from pipelines.registry.catalog import load_catalog

_STOP_SECONDS = 1.0
#: Putting a run into the queue takes no longer, or does no harm if it comes later.
_FORGOTTEN_AFTER = timedelta(seconds=10)


class PromptRunCoordinator(QueuedRunCoordinator):
    """Configured in dagster.yaml; lives in every process that submits or cancels runs."""

    def submit_run(self, context: SubmitRunContext) -> DagsterRun:
        home = Settings().folders
        complete_asset_run(context.dagster_run, self._instance)
        with _locked_entrance(home):
            run = self._instance.get_run_by_id(context.dagster_run.run_id)
            if run and run.status is DagsterRunStatus.NOT_STARTED:
                run = super().submit_run(context)
        messages.nudge(queue_socket(home))
        return run or context.dagster_run

    def cancel_run(self, run_id: str) -> bool:
        with locked_queue(Settings().folders):
            return super().cancel_run(run_id)


class PromptQueueDaemon(QueuedRunCoordinatorDaemon):
    """Looks at the queue when nudged, and every `interval_seconds` in any case."""

    def __init__(self, settings: Settings, interval_seconds: float) -> None:
        super().__init__(interval_seconds)
        self._settings = settings
        self._home = settings.folders
        self._inventory = settings.load_inventory()

    def core_loop(
        self,
        workspace_process_context: IWorkspaceProcessContext[Any],
        shutdown_event: Event,  # noqa: ARG002 - Dagster's signature
    ) -> DaemonIterator:
        with _lock_removed(self._home), messages.await_nudges(queue_socket(self._home)) as nudges:
            while True:
                yield from self._submit_forgotten(workspace_process_context)
                yield from self.run_iteration(workspace_process_context)
                yield from self._wait(nudges)

    def _wait(self, nudges: socket.socket) -> DaemonIterator:
        """Dagster leaves at a `yield` when the daemon is to stop: there is one every second."""
        due = time.monotonic() + self.interval_seconds
        while True:
            yield None
            patience = min(_STOP_SECONDS, due - time.monotonic())
            if patience <= 0 or select.select([nudges], [], [], patience)[0]:
                break
        with suppress(BlockingIOError):
            while nudges.recv(1):
                pass

    def _submit_forgotten(self, context: IWorkspaceProcessContext[Any]) -> DaemonIterator:
        """Whoever made such a run was killed before putting it into the queue."""
        if not has_room(self._home.root):
            return
        for run in forgotten_runs(context.instance):
            workspace = context.create_request_context()
            context.instance.run_coordinator.submit_run(SubmitRunContext(run, workspace))
            yield None

    def _get_runs_to_dequeue(
        self, instance: DagsterInstance, *args: Any, **kwargs: Any
    ) -> list[DagsterRun]:
        if not has_room(self._home.root):  # what is launched has much to write
            return []
        runs = super()._get_runs_to_dequeue(instance, *args, **kwargs)
        return [run for run in runs if self._fits_now(run, instance)]

    def _dequeue_run(
        self,
        instance: DagsterInstance,
        workspace: BaseWorkspaceRequestContext,
        run: DagsterRun,
        *args: Any,
        **kwargs: Any,
    ) -> bool:
        """Looks at the devices once more: another run may have been launched a moment ago."""
        with locked_queue(self._home):
            if not self._fits_now(run, instance):
                return False
            return super()._dequeue_run(instance, workspace, run, *args, **kwargs)

    def _fits_now(self, run: DagsterRun, instance: DagsterInstance) -> bool:
        """Whether a device can be leased now; if not, the run says what it waits for."""
        need = need_of(run, load_catalog())
        placed = place(self._home, self._inventory, need, self._settings.gpu_slots)
        if not isinstance(placed, Wait):
            return True
        if run.tags.get(WAITING_TAG) != placed.reason:
            instance.add_run_tags(run.run_id, {WAITING_TAG: placed.reason})
        return False


def forgotten_runs(instance: DagsterInstance) -> list[DagsterRun]:
    """Those that were made some time ago and never submitted; not those of who runs them itself."""
    made_before = get_current_datetime() - _FORGOTTEN_AFTER
    made = RunsFilter(statuses=[DagsterRunStatus.NOT_STARTED], created_before=made_before)
    return [run for run in instance.get_runs(made) if run.remote_job_origin]


@contextmanager
def locked_queue(home: Home) -> Iterator[None]:
    """Between processes: while it is held, no run enters or leaves the state QUEUED."""
    path = queue_lock(home)
    path.parent.mkdir(parents=True, exist_ok=True)
    while True:
        with path.open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            if _is_at(file, path):
                yield
                return


@contextmanager
def _locked_entrance(home: Home) -> Iterator[None]:
    """Between processes: while it is held, no run enters the state QUEUED for the first time."""
    home.run.mkdir(parents=True, exist_ok=True)
    folder = os.open(home.run, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


@contextmanager
def _lock_removed(home: Home) -> Iterator[None]:
    """When the block ends; by who holds it, so that nobody else can."""
    try:
        yield
    finally:
        with locked_queue(home):
            queue_lock(home).unlink()


def _is_at(file: IO[str], path: Path) -> bool:
    """Whether the file was not removed between opening and locking it."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False
