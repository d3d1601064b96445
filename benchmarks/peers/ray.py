"""Ray Jobs: a head with its job submission server, in an environment of its own."""

import os
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

from api.stack.ports import free_port
from benchmarks.peers.stack import (
    PROJECT,
    Mark,
    State,
    bare_environment,
    below,
    running,
    wait_until,
)

#: Made by `make bench-launch`.
BIN = PROJECT / ".venv-peers" / "bin"

_STATES = {
    "SUCCEEDED": State.SUCCEEDED,
    "FAILED": State.FAILED,
    "STOPPED": State.CANCELLED,
}


@dataclass
class RayStack:
    _client: httpx.Client
    _below: Callable[[], list[psutil.Process]]
    name: str = "Ray Jobs"

    def submit(self, behaviour: str, mark: Path) -> str:
        command = [str(BIN / "python"), "-m", "framegate_trivial.work", behaviour, str(mark)]
        answer = self._client.post("/api/jobs/", json={"entrypoint": shlex.join(command)})
        return str(answer.raise_for_status().json()["submission_id"])

    def states(self) -> Mapping[str, State]:
        jobs = self._client.get("/api/jobs/").raise_for_status().json()
        return {
            job["submission_id"]: _STATES.get(job["status"], State.UNFINISHED)
            for job in jobs
            if job["submission_id"]
        }

    def cancel(self, job: str) -> State:
        self._client.post(f"/api/jobs/{job}/stop").raise_for_status()
        return State.UNFINISHED

    def workers(self, mark: Mark) -> Sequence[int]:
        return [mark.pid]

    def moments(self, job: str) -> Mapping[str, float]:  # noqa: ARG002 - nobody asks for its parts
        return {}

    def processes(self) -> list[psutil.Process]:
        return self._below()


@contextmanager
def ray_stack(folder: Path, packages: Path) -> Iterator[RayStack]:
    port = free_port()
    command = [
        *(str(BIN / "ray"), "start", "--head", "--block", "--disable-usage-stats"),
        *("--node-ip-address", "127.0.0.1", "--port", str(free_port())),
        *("--include-dashboard", "true", "--dashboard-host", "127.0.0.1"),
        *("--dashboard-port", str(port), "--dashboard-agent-listen-port", str(free_port())),
        *("--dashboard-agent-grpc-port", str(free_port()), "--temp-dir", str(folder / "ray")),
    ]
    path = f"{BIN}{os.pathsep}{os.environ.get('PATH', '')}"
    environment = bare_environment(packages, PATH=path)
    with (
        running(command, environment, folder / "ray.log") as process,
        httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60.0, trust_env=False) as client,
    ):
        wait_until(lambda: _is_ready(client), 120, "starting Ray")
        yield RayStack(client, lambda: below(process))


def _is_ready(client: httpx.Client) -> bool:
    try:
        return client.get("/api/jobs/").is_success
    except httpx.TransportError:
        return False
