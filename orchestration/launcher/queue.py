"""Dagster's run queue without its waiting: a submitted run wakes the daemon that launches it."""

import select
import socket
import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from threading import Event
from typing import Any

from dagster import (
    DagsterInstance,
    DagsterRun,
    DagsterRunNotFoundError,
    DagsterRunStatus,
    RunRecord,
    RunsFilter,
    SubmitRunContext,
)

from contracts.run import WAITING_TAG
from orchestration.dagster_internals.daemon import (
    ConcurrencyConfig,
    DaemonIterator,
    GlobalOpConcurrencyLimitsCounter,
    QueuedRunCoordinatorDaemon,
    TagConcurrencyLimitsCounter,
)
from orchestration.dagster_internals.workspace import (
    BaseWorkspaceRequestContext,
    IWorkspaceProcessContext,
)
from orchestration.launcher import messages
from orchestration.launcher.capacity import NO_CAPACITY, Capacity
from orchestration.launcher.paths import queue_socket
from orchestration.launcher.placement import Limit, Placement, place_runs
from orchestration.launcher.queue_locks import locked_queue, queue_lock_removed
from orchestration.launcher.recovery import STARTING, recover, runs_of_server
from orchestration.launcher.resource_request import presets_now, resource_request_of
from orchestration.settings import Settings
from orchestration.storage.disk_space import has_room
from pipelines.registry.catalog import load_catalog

_STOP_SECONDS = 1.0
#: Putting a run into the queue takes no longer, or does no harm if it comes later.
_FORGOTTEN_AFTER = timedelta(seconds=10)
#: How many runs at the front of the queue may start; a longer queue is not kept in memory.
_CONSIDERED = 1000
#: How many of them are told what they wait for: each is a write to the database.
_TOLD = 50
_NO_MOST = 1_000_000


class PromptQueueDaemon(QueuedRunCoordinatorDaemon):
    """Looks at the queue when nudged, and every `interval_seconds` in any case."""

    def __init__(self, settings: Settings, interval_seconds: float) -> None:
        super().__init__(interval_seconds)
        self._settings = settings
        self._home = settings.folders
        self._inventory = settings.load_inventory()
        self._placement = Placement()

    def core_loop(
        self,
        workspace_process_context: IWorkspaceProcessContext[Any],
        shutdown_event: Event,  # noqa: ARG002 - Dagster's signature
    ) -> DaemonIterator:
        """Dagster starts it again where it raised, as when the database went away. A run that was
        about to be launched then is still STARTING, and nobody else would launch it.
        """
        instance = workspace_process_context.instance
        recover(instance, self._home, STARTING, runs_of_server(self._home))
        with (
            queue_lock_removed(self._home),
            messages.await_nudges(queue_socket(self._home)) as nudges,
        ):
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

    def run_iteration(
        self, workspace_process_context: IWorkspaceProcessContext[Any], *args: Any, **kwargs: Any
    ) -> DaemonIterator:
        self._placement = Placement()
        yield from super().run_iteration(workspace_process_context, *args, **kwargs)
        self._tell(workspace_process_context.instance)

    def _get_runs_to_dequeue(
        self,
        instance: DagsterInstance,
        concurrency_config: ConcurrencyConfig,
        fixed_iteration_time: float | None,  # noqa: ARG002 - Dagster's signature
    ) -> list[DagsterRun]:
        """In place of Dagster's own, which lets runs that fit no device take others' turns."""
        if not has_room(self._home.root):  # what is launched has much to write
            return []
        if runs := self._queued(instance):
            self._placement = self._place_runs(instance, runs, concurrency_config)
        return list(self._placement.starting)

    def _queued(self, instance: DagsterInstance) -> list[DagsterRun]:
        """The front of the queue, by priority, then by age."""
        front: list[DagsterRun] = []
        cursor = None
        while True:
            page = instance.get_runs(
                RunsFilter(statuses=[DagsterRunStatus.QUEUED]),
                cursor=cursor,
                limit=self._page_size,
                ascending=True,
            )
            front = self._priority_sort([*front, *page])[:_CONSIDERED]
            if len(page) < self._page_size:
                return front
            cursor = page[-1].run_id

    def _place_runs(
        self, instance: DagsterInstance, runs: Sequence[DagsterRun], config: ConcurrencyConfig
    ) -> Placement:
        in_progress = self._get_in_progress_run_records(instance)
        most = config.run_queue_config.max_concurrent_runs if config.run_queue_config else -1
        presets = presets_now(self._home.presets)
        queue = [(run, resource_request_of(run, load_catalog(), presets)) for run in runs]
        return place_runs(
            queue,
            self._capacity() if any(request.takes_slot for _run, request in queue) else NO_CAPACITY,
            _limits(instance, runs, in_progress, config),
            most=most if most >= 0 else _NO_MOST,
            in_progress=len(in_progress),
        )

    def _capacity(self) -> Capacity:
        settings = self._settings
        return Capacity.now(
            self._home,
            self._inventory,
            gpu_slots=settings.gpu_slots,
            cpu_slots=settings.cpu_slots,
        )

    def _dequeue_run(
        self,
        instance: DagsterInstance,
        workspace: BaseWorkspaceRequestContext,
        run: DagsterRun,
        *args: Any,
        **kwargs: Any,
    ) -> bool:
        with locked_queue(self._home):
            return super()._dequeue_run(instance, workspace, run, *args, **kwargs)

    def _tell(self, instance: DagsterInstance) -> None:
        """The first in the queue what they wait for; after launching, which is not to wait."""
        for run, reason in self._placement.waiting[:_TOLD]:
            if run.tags.get(WAITING_TAG) != reason:
                with suppress(DagsterRunNotFoundError):  # it has just been deleted
                    instance.add_run_tags(run.run_id, {WAITING_TAG: reason})


def _limits(
    instance: DagsterInstance,
    runs: Sequence[DagsterRun],
    in_progress: Sequence[RunRecord],
    config: ConcurrencyConfig,
) -> list[Limit]:
    """Dagster's: of tags, by `dagster.yaml`; of pools, where somebody has set one in the UI."""
    queue = config.run_queue_config
    limits = []
    if queue and queue.tag_concurrency_limits:
        tags = TagConcurrencyLimitsCounter(
            queue.tag_concurrency_limits, [record.dagster_run for record in in_progress]
        )
        limits.append(
            Limit(tags, "Waiting: as many runs of this kind are running as may run at once.")
        )
    pools = instance.event_log_storage.get_pool_limits()
    if pools and queue and queue.should_block_op_concurrency_limited_runs:
        counter = GlobalOpConcurrencyLimitsCounter(
            instance,
            runs,
            in_progress,
            concurrency_keys={pool.name for pool in pools},
            pool_limits=pools,
            slot_count_offset=queue.op_concurrency_slot_buffer,
            pool_granularity=config.pool_config.pool_granularity,
        )
        limits.append(Limit(counter, "Waiting: a pool in Dagster has reached its limit."))
    return limits


def forgotten_runs(instance: DagsterInstance) -> list[DagsterRun]:
    """Those that were made some time ago and never submitted; not those of who runs them itself."""
    made_before = datetime.now(UTC) - _FORGOTTEN_AFTER
    made = RunsFilter(statuses=[DagsterRunStatus.NOT_STARTED], created_before=made_before)
    return [run for run in instance.get_runs(made) if run.remote_job_origin]
