"""Runs of the pipeline `hold` on the real fork server, without the rest of the stack."""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from dagster import DagsterInstance, DagsterRunStatus

from api.stack.layout import lay_out
from benchmarks.gpu.target import Target
from benchmarks.peers.stack import bare_environment, running, wait_until
from contracts.home import Home
from contracts.run import PIPELINES_TAG
from orchestration.dagster_internals.testing import ReconstructableRepository
from orchestration.launcher import messages
from orchestration.launcher.capacity import Capacity
from orchestration.launcher.instances import open_instance
from orchestration.launcher.lease import Wait
from orchestration.launcher.limits import limits_of
from orchestration.launcher.paths import run_socket
from orchestration.launcher.resource_request import ResourceRequest, resource_request_of
from orchestration.settings import Settings
from pipelines.registry.catalog import load_catalog
from pipelines.registry.devices import Device

PIPELINE = "hold"
_SECONDS = 60.0
_HOLD_SECONDS = 30.0
_SLOTS = 2


@dataclass(frozen=True)
class HoldRun:
    """A run that has begun, or waits for the `reason`."""

    run_id: str
    reason: str = ""


@dataclass(frozen=True)
class Runs:
    """Launches as the daemon does, at once; `media` is any small video."""

    home: Home
    target: Target
    instance: DagsterInstance
    media: Path

    def launch(self, count: int, stops: str = "at once") -> HoldRun:
        """A run that holds `count` bytes of the device, once it is placed."""
        repository = ReconstructableRepository.for_module(
            "orchestration.definitions", "definitions"
        )
        job = repository.get_reconstructable_job(PIPELINE)
        run = self.instance.create_run_for_job(
            job.get_definition(),
            run_config={
                "ops": {
                    "probe": {"config": {"media": str(self.media)}},
                    PIPELINE: {"config": {"count": count, "stops": stops}},
                }
            },
            tags={PIPELINES_TAG: PIPELINE},
            job_code_origin=job.get_python_origin(),
            status=DagsterRunStatus.STARTING,
        )
        need = resource_request_of(run, load_catalog(), {})
        device = self.place(need)
        if not isinstance(device, Device):
            return HoldRun(run.run_id, device.reason if device else "it needs no device")
        answer = messages.ask(
            self.home.fork_server_socket,
            {
                "action": "launch",
                "run_id": run.run_id,
                "grace_seconds": need.grace_seconds,
                "limits": limits_of([PIPELINE], load_catalog(), Settings()).to_message(),
                "lease": {"uuid": device.uuid, "memory": need.memory},
                "log_fields": {},
            },
        )
        return HoldRun(run.run_id, answer.get("not_yet") or answer.get("error") or "")

    def place(self, need: ResourceRequest) -> Device | Wait | None:
        return Capacity.now(self.home, self.target.inventory, gpu_slots=_SLOTS, cpu_slots=1).place(
            need
        )

    def wait_until_held(self, run: HoldRun, count: int) -> float:
        """Seconds until its tree holds the bytes, by the driver. Raises TimeoutError."""
        started = time.perf_counter()
        wait_until(lambda: self.held(run) >= count, _HOLD_SECONDS, "holding GPU memory")
        return time.perf_counter() - started

    def held(self, run: HoldRun) -> int:
        held = self.target.inventory.held(self.target.uuid)
        return sum(held.get(pid, 0) for pid in self.tree(run))

    def tree(self, run: HoldRun) -> list[int]:
        """The run's processes below its supervisor."""
        return list(self._ask(run).get("tree", ()))

    def worker(self, run: HoldRun) -> psutil.Process:
        return psutil.Process(int(self._ask(run)["worker"]))

    def cancel(self, run: HoldRun) -> None:
        messages.ask(run_socket(self.home, run.run_id), {"action": "cancel"})

    def wait_for_end(self, run: HoldRun) -> tuple[DagsterRunStatus, dict[str, str]]:
        """How it ended, and its tags. Raises TimeoutError."""

        def ended() -> bool:
            found = self.instance.get_run_by_id(run.run_id)
            return bool(found and found.is_finished)

        wait_until(ended, _SECONDS, "ending a run")
        found = self.instance.get_run_by_id(run.run_id)
        return (found.status, dict(found.tags)) if found else (DagsterRunStatus.FAILURE, {})

    def _ask(self, run: HoldRun) -> dict[str, Any]:
        try:
            return messages.ask(run_socket(self.home, run.run_id), {"action": "status"})
        except messages.NobodyListensError:
            return {}


@contextmanager
def running_server(target: Target, folder: Path, media: Path) -> Iterator[Runs]:
    """The fork server in a home of its own."""
    home = Home(folder.resolve())
    lay_out(home)
    given = {"FRAMEGATE_HOME": str(home.root), "DAGSTER_HOME": str(home.dagster)}
    environment = {**bare_environment(folder), **given, **target.environment}
    os.environ.update(given)  # of the definitions that are loaded here, too
    sys.path.append(target.environment["PYTHONPATH"].split(os.pathsep)[0])
    command = [sys.executable, "-m", "orchestration.launcher.fork_server"]
    with (
        running(command, environment, folder / "server.log"),
        open_instance(home.dagster) as instance,
    ):
        wait_until(
            lambda: messages.is_anybody_there(home.fork_server_socket), _SECONDS, "the fork server"
        )
        yield Runs(home, target, instance, media)
