"""Dagster as it comes: its webserver, daemon and code server, its default launcher and executor."""

import json
import socket
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil

from api.stack.ports import free_port
from benchmarks.peers.graphql import ask
from benchmarks.peers.stack import Mark, State, bare_environment, below, running, wait_until

_LOCATION = "trivial"
_STATES = {
    "SUCCESS": State.SUCCEEDED,
    "FAILURE": State.FAILED,
    "CANCELED": State.CANCELLED,
}
_READY = """
{
  repositoriesOrError { ... on RepositoryConnection { nodes { name } } }
  instance { daemonHealth { allDaemonStatuses { daemonType healthy } } }
}
"""
_LAUNCH = """
mutation Launch($parameters: ExecutionParams!) {
  launchRun(executionParams: $parameters) {
    __typename
    ... on LaunchRunSuccess { run { runId } }
  }
}
"""
_RUNS = "{ runsOrError { ... on Runs { results { runId status } } } }"
_TERMINATE = """
mutation Terminate($run: String!) { terminateRun(runId: $run) { __typename } }
"""


@dataclass
class DagsterStack:
    name: str
    _client: httpx.Client
    _below: Callable[[], list[psutil.Process]]

    def submit(self, behaviour: str, mark: Path) -> str:
        parameters = {
            "selector": {
                "repositoryName": "__repository__",
                "repositoryLocationName": _LOCATION,
                "jobName": "trivial_job",
            },
            "runConfigData": {
                "ops": {"trivial": {"config": {"behaviour": behaviour, "mark": str(mark)}}}
            },
        }
        launched = ask(self._client, _LAUNCH, {"parameters": parameters})["launchRun"]
        if launched["__typename"] != "LaunchRunSuccess":
            raise RuntimeError(f"Dagster refuses the job: {launched}")
        return str(launched["run"]["runId"])

    def states(self) -> Mapping[str, State]:
        runs = ask(self._client, _RUNS, {})["runsOrError"]["results"]
        return {run["runId"]: _STATES.get(run["status"], State.UNFINISHED) for run in runs}

    def cancel(self, job: str) -> State:
        ask(self._client, _TERMINATE, {"run": job})
        return State.UNFINISHED

    def workers(self, mark: Mark) -> Sequence[int]:
        """The step's process and the run worker that started it."""
        return [mark.pid, mark.parent]

    def moments(self, job: str) -> Mapping[str, float]:  # noqa: ARG002 - nobody asks for its parts
        return {}

    def processes(self) -> list[psutil.Process]:
        return self._below()


@contextmanager
def dagster_stack(
    folder: Path, packages: Path, dequeue_interval: int | None = None
) -> Iterator[DagsterStack]:
    """`dequeue_interval` in seconds; None for Dagster's default."""
    code_port, port = free_port(), free_port()
    workspace = _lay_out(folder, code_port, dequeue_interval)
    environment = bare_environment(packages, DAGSTER_HOME=str(folder))
    commands = [
        _dagster(
            *("dagster", "api", "grpc", "--module-name", "framegate_trivial.definitions"),
            *("--host", "127.0.0.1", "--port", str(code_port), "--location-name", _LOCATION),
        ),
        _dagster(
            *("dagster_webserver", "--host", "127.0.0.1", "--port", str(port)),
            *("--workspace", str(workspace)),
        ),
        _dagster("dagster._daemon", "run", "--workspace", str(workspace)),
    ]
    with ExitStack() as stack:
        started = []
        for command in commands:
            log = folder / "dagster.log"
            started.append(stack.enter_context(running(command, environment, log)))
            # Whoever comes before the code server complains, and does not ask again.
            wait_until(lambda: _accepts(code_port), 120, "starting the code server")
        client = stack.enter_context(
            httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60.0, trust_env=False)
        )
        wait_until(lambda: _is_ready(client), 120, "starting Dagster")
        yield DagsterStack(
            f"Dagster, dequeue {dequeue_interval} s" if dequeue_interval else "Dagster",
            client,
            lambda: [process for part in started for process in below(part)],
        )


def _lay_out(folder: Path, code_port: int, dequeue_interval: int | None) -> Path:
    """Dagster's two files (YAML is a superset of JSON); returns the workspace's."""
    coordinator: dict[str, Any] = {
        "module": "dagster.core.run_coordinator",
        "class": "QueuedRunCoordinator",
    }
    if dequeue_interval is not None:
        coordinator["config"] = {"dequeue_interval_seconds": dequeue_interval}
    instance = {"telemetry": {"enabled": False}, "run_coordinator": coordinator}
    (folder / "dagster.yaml").write_text(json.dumps(instance))
    server = {"host": "127.0.0.1", "port": code_port, "location_name": _LOCATION}
    workspace = folder / "workspace.yaml"
    workspace.write_text(json.dumps({"load_from": [{"grpc_server": server}]}))
    return workspace


def _dagster(module: str, *arguments: str) -> list[str]:
    return [sys.executable, "-m", module, *arguments]


def _accepts(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1.0):
            return True
    except OSError:
        return False


def _is_ready(client: httpx.Client) -> bool:
    """Whether the job is known and every daemon has a fresh heartbeat."""
    try:
        answer = ask(client, _READY, {})
    except (httpx.TransportError, ValueError):
        return False
    daemons = answer["instance"]["daemonHealth"]["allDaemonStatuses"]
    healthy = [daemon["healthy"] for daemon in daemons if daemon["healthy"] is not None]
    return bool(answer["repositoriesOrError"].get("nodes")) and bool(healthy) and all(healthy)
