"""Our own stack: `framegate up` in a home of its own, used over REST."""

import io
import sys
import wave
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil

from api.cli.stack_process import StackProcess
from api.stack.events import AdminKeyCreated, Event
from api.stack.ports import free_port
from benchmarks.peers.graphql import event_log
from benchmarks.peers.stack import Mark, State, bare_environment, below, running, wait_until
from tests.webserver import webserver_of

_STATES = {
    "completed": State.SUCCEEDED,
    "failed": State.FAILED,
    "cancelled": State.CANCELLED,
}
_PAGE = 100


@dataclass
class FramegateStack:
    _rest: httpx.Client
    _dagster: httpx.Client
    _media: str
    _below: Callable[[], list[psutil.Process]]
    name: str = "Framegate"

    def submit(self, behaviour: str, mark: Path) -> str:
        config = {"trivial": {"behaviour": behaviour, "mark": str(mark)}}
        body = {"media": self._media, "pipelines": ["trivial"], "config": config}
        return str(_json(self._rest.post("/api/v1/jobs", json=body))["id"])

    def states(self) -> Mapping[str, State]:
        listed = _json(self._rest.get("/api/v1/jobs", params={"per_page": _PAGE}))["jobs"]
        return {job["id"]: _STATES.get(job["status"], State.UNFINISHED) for job in listed}

    def cancel(self, job: str) -> State:
        answer = _json(self._rest.post(f"/api/v1/jobs/{job}/cancel"))
        return _STATES[str(answer["status"]).lower()]

    def workers(self, mark: Mark) -> Sequence[int]:
        return [mark.pid]

    def moments(self, job: str) -> Mapping[str, float]:
        """The first of each event that says how far the run is."""
        found: dict[str, float] = {}
        for event in event_log(self._dagster, job):
            name = event.kind
            if name == "ENGINE_EVENT" and event.message.startswith("Run worker started"):
                name = "WORKER_STARTED"
            found.setdefault(name, event.timestamp)
            if name == "STEP_START":
                found.setdefault(f"STEP_START {event.step}", event.timestamp)
        return found

    def processes(self) -> list[psutil.Process]:
        return self._below()


@contextmanager
def framegate_stack(folder: Path, packages: Path) -> Iterator[FramegateStack]:
    command = [
        *(sys.executable, "-m", "api.cli", "up", "--json", "--home", str(folder / "home")),
        *("--port", str(free_port())),
    ]
    told: list[Event] = []
    with running(command, bare_environment(packages), folder / "framegate.log") as process:
        ready = StackProcess(process.stdout or ()).until_ready(told.append)
        [key] = [event.key for event in told if isinstance(event, AdminKeyCreated)]
        with (
            httpx.Client(
                base_url=ready.url, headers={"X-API-Key": key}, timeout=60.0, trust_env=False
            ) as rest,
            webserver_of(ready.home) as dagster,
        ):
            yield FramegateStack(rest, dagster, _upload(rest), lambda: below(process))


def _upload(rest: httpx.Client) -> str:
    """The smallest media there is, stored once; its job is the first, and is waited for."""
    files = {"video": ("silence.wav", _silence())}
    job = _json(
        rest.post("/api/v1/jobs", files=files, data={"selected_pipelines": "speech_activity"})
    )
    ended = ("completed", "failed")
    wait_until(
        lambda: _json(rest.get(f"/api/v1/jobs/{job['id']}"))["status"] in ended, 120, "an upload"
    )
    return str(job["media"])


def _silence() -> bytes:
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16000)
        file.writeframes(bytes(3200))
    return buffer.getvalue()


def _json(response: httpx.Response) -> dict[str, Any]:
    """Raises RuntimeError with the body of an error."""
    if response.is_error:
        raise RuntimeError(f"{response.request.url}: {response.status_code} {response.text}")
    body: dict[str, Any] = response.json()
    return body
