"""Dagster's run launcher for this machine: asks the fork server, and the run's supervisor."""

import logging
import shutil
import time
from collections.abc import Mapping
from typing import Any, Self

from dagster import DagsterInstance, DagsterRun

from contracts.run import DEVICE_TAG, FAILURE_TAG, Failure, log_fields
from orchestration.dagster_internals.configuration import ConfigurableClass, ConfigurableClassData
from orchestration.dagster_internals.launcher import (
    CheckRunHealthResult,
    DagsterLaunchFailedError,
    DagsterUserCodeUnreachableError,
    LaunchRunContext,
    RunLauncher,
    WorkerStatus,
)
from orchestration.launcher import messages
from orchestration.launcher.capacity import Capacity
from orchestration.launcher.lease import PROCESSOR, Wait
from orchestration.launcher.limits import limits_of
from orchestration.launcher.paths import run_socket
from orchestration.launcher.reporter import Reporter
from orchestration.launcher.resource_request import (
    ResourceRequest,
    pipelines_to_run,
    presets_now,
    resource_request_of,
)
from orchestration.launcher.retry import is_transient
from orchestration.settings import Settings
from pipelines.registry.catalog import load_catalog

logger = logging.getLogger("framegate.launcher")

_RESTART_SECONDS = 60.0
_RETRY_SECONDS = 0.2


class LocalRunLauncher(RunLauncher[DagsterInstance], ConfigurableClass):
    """Lives in the daemon, which launches, and in the webserver, which terminates."""

    def __init__(self, inst_data: ConfigurableClassData | None = None) -> None:
        super().__init__()  # type: ignore[no-untyped-call] # dagster's own
        self._inst_data = inst_data
        self._settings = Settings()
        self._home = self._settings.folders
        self._inventory = self._settings.load_inventory()

    @property
    def inst_data(self) -> ConfigurableClassData | None:
        return self._inst_data

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        return {}

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData, config_value: Mapping[str, Any]
    ) -> Self:
        return cls(inst_data=inst_data, **config_value)

    def launch_run(self, context: LaunchRunContext) -> None:
        """Raises DagsterUserCodeUnreachableError while the server, the database or a resource of
        the machine is away: the run stays queued.
        """
        run = context.dagster_run
        try:
            request = self._request(run)
        except Exception as error:
            if not is_transient(error):
                raise
            raise DagsterUserCodeUnreachableError(f"It cannot be launched yet: {error}") from error
        answer = self._ask_server(request)
        if problem := answer.get("error"):
            broken = Failure("CODE_DOES_NOT_LOAD", problem, "Fix the code, then submit again.")
            self._instance.add_run_tags(run.run_id, {FAILURE_TAG: broken.to_tag()})
            raise DagsterLaunchFailedError(problem)  # type: ignore[no-untyped-call] # dagster's own
        if reason := answer.get("not_yet"):
            raise DagsterUserCodeUnreachableError(reason)
        logger.info("a run is launched", extra=log_fields(run.run_id, run.tags))

    def terminate(self, run_id: str) -> bool:
        """Orders the supervisor to end the run, and returns once it has begun to."""
        run = self._instance.get_run_by_id(run_id)
        if run is None or run.is_finished:
            return False
        try:
            messages.ask(run_socket(self._home, run_id), {"action": "cancel"})
        except messages.NobodyListensError:
            return False
        return True

    @property
    def supports_check_run_worker_health(self) -> bool:
        return True

    def check_run_worker_health(self, run: DagsterRun) -> CheckRunHealthResult:
        """Whether somebody looks after the run; run monitoring fails a run of which that is not so.

        The server speaks for runs whose supervisor is dead, and one that comes back settles those
        that it finds without, before it answers. Only what nobody speaks for is failed here.
        """
        try:
            messages.ask(run_socket(self._home, run.run_id), {"action": "status"})
        except messages.NobodyListensError as error:
            return self._health_of_unsupervised(run, error)
        return CheckRunHealthResult(WorkerStatus.RUNNING)

    def get_run_worker_debug_info(
        self,
        run: DagsterRun,
        include_container_logs: bool | None = True,  # noqa: ARG002, FBT001, FBT002 - Dagster's signature
    ) -> str | None:
        try:
            answer = messages.ask(run_socket(self._home, run.run_id), {"action": "status"})
        except messages.NobodyListensError:
            return "The run has no supervisor: its run worker is not running."
        return f"Run worker {answer['worker']}; processes of the run: {answer['tree']}."

    def _health_of_unsupervised(
        self, run: DagsterRun, error: messages.NobodyListensError
    ) -> CheckRunHealthResult:
        try:
            server = messages.ask(self._home.fork_server_socket, {"action": "status"})
        except messages.NobodyListensError:
            return CheckRunHealthResult(WorkerStatus.RUNNING, "The fork server starts.")
        if run.run_id in server["runs"]:
            return CheckRunHealthResult(WorkerStatus.RUNNING, "The fork server records its end.")
        if Reporter(self._instance, self._home, run.run_id).conclude():
            return CheckRunHealthResult(WorkerStatus.SUCCESS, "Its last event was written.")
        if self._has_moved_on(run):
            return CheckRunHealthResult(WorkerStatus.RUNNING, "It has just been settled.")
        shutil.rmtree(self._home.partial(run.run_id), ignore_errors=True)
        lost = Failure("WORKER_LOST", "Nobody supervises the run any more.")
        self._instance.add_run_tags(run.run_id, {FAILURE_TAG: lost.to_tag()})
        return CheckRunHealthResult(WorkerStatus.FAILED, f"WORKER_LOST: {error}")

    def _has_moved_on(self, run: DagsterRun) -> bool:
        """Whether somebody put the run back into the queue, or started it again, since monitoring
        read it.
        """
        found = self._instance.get_run_by_id(run.run_id)
        return (
            found is None
            or found.status is not run.status
            or messages.is_anybody_there(run_socket(self._home, run.run_id))
        )

    def _request(self, run: DagsterRun) -> dict[str, Any]:
        """What the server is asked for; nothing has been started before."""
        request = resource_request_of(run, load_catalog(), presets_now(self._home.presets))
        limits = limits_of(pipelines_to_run(run, load_catalog()), load_catalog(), self._settings)
        return {
            "action": "launch",
            "run_id": run.run_id,
            "grace_seconds": request.grace_seconds,
            "limits": limits.to_message(),
            "lease": self._lease(run, request),
            "log_fields": log_fields(run.run_id, run.tags),
        }

    def _lease(self, run: DagsterRun, request: ResourceRequest) -> dict[str, Any] | None:
        if not request.takes_slot:
            return None
        settings = self._settings
        capacity = Capacity.now(
            self._home,
            self._inventory,
            gpu_slots=settings.gpu_slots,
            cpu_slots=settings.cpu_slots,
        )
        device = capacity.place(request)
        if isinstance(device, Wait):  # the memory was taken since the run left the queue
            raise DagsterUserCodeUnreachableError(device.reason)
        if device is None:
            return None
        if device == PROCESSOR:
            return {"uuid": device.uuid, "memory": 0}
        self._instance.add_run_tags(run.run_id, {DEVICE_TAG: f"{device.name} {device.uuid}"})
        return {"uuid": device.uuid, "memory": request.memory}

    def _ask_server(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Waits for a server that is starting over with fresh code."""
        deadline = time.monotonic() + _RESTART_SECONDS
        restarting = False
        while True:
            try:
                answer = messages.ask(
                    self._home.fork_server_socket, request, timeout=_RESTART_SECONDS
                )
            except messages.NobodyListensError as error:
                if not restarting or time.monotonic() > deadline:
                    raise DagsterUserCodeUnreachableError(
                        f"The fork server does not answer: {error}"
                    ) from error
            else:
                if not answer.get("restarting"):
                    return answer
                restarting = True
            time.sleep(_RETRY_SECONDS)
