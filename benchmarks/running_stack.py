"""A real stack with a past, to be asked over REST and, for comparison, as Dagster itself."""

import io
import sys
import tempfile
import wave
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil

from api.cli.stack_process import StackProcess
from api.dagster import documents
from api.dagster.client import REPOSITORY, REPOSITORY_LOCATION
from api.stack.events import AdminKeyCreated, Event
from api.stack.ports import free_port
from benchmarks.history import PIPELINE, insert_finished_runs
from benchmarks.peers.stack import bare_environment, below, running, wait_until
from tests.webserver import webserver_of

_ENDED = {"completed", "failed", "cancelled"}


@dataclass(frozen=True)
class RunningStack:
    """`media` is stored already; `root` is the process that all others descend from, `api` the
    one that serves REST.
    """

    rest: httpx.Client
    dagster: httpx.Client
    media: str
    root: psutil.Process
    api: psutil.Process

    @property
    def submission(self) -> dict[str, Any]:
        return {"media": self.media, "pipelines": [PIPELINE]}

    def submit(self, submission: Mapping[str, Any] | None = None) -> str:
        answer = self.rest.post("/api/v1/jobs", json=submission or self.submission)
        return str(_json(answer)["id"])

    def store(self, file: Path) -> str:
        """The media's hash; the job that brought it is not waited for."""
        return _store(self.rest, file.name, file.read_bytes())

    def cancel(self, job: str) -> str:
        return str(_json(self.rest.post(f"/api/v1/jobs/{job}/cancel"))["status"])

    def get(self, path: str) -> None:
        """Raises RuntimeError with the body of an error."""
        _checked(self.rest.get(path))

    def look(self, job: str) -> str:
        return str(_json(self.rest.get(f"/api/v1/jobs/{job}"))["status"])

    def list_jobs(self, **query: Any) -> dict[str, Any]:
        return _json(self.rest.get("/api/v1/jobs", params=query))

    def processes(self) -> list[psutil.Process]:
        return self.root.children(recursive=True)

    def wait(self, job: str) -> None:
        wait_until(lambda: self.look(job) in _ENDED, 120, "a job")

    def ask_dagster(self, document: str, **variables: Any) -> dict[str, Any]:
        question = {"query": document, "variables": variables}
        answer: dict[str, Any] = _json(self.dagster.post("/graphql", json=question))["data"]
        return answer

    def launch_parameters(self, job: str) -> Mapping[str, Any]:
        """What launchRun was given for a job, to be given to it again without us."""
        run = self.ask_dagster(documents.RUN, runId=job)["result"]
        return {
            "selector": {
                "repositoryLocationName": REPOSITORY_LOCATION,
                "repositoryName": REPOSITORY,
                "jobName": run["jobName"],
            },
            "runConfigData": run["runConfig"],
            "executionMetadata": {
                "tags": [tag for tag in run["tags"] if tag["key"].startswith("framegate")]
            },
        }


@contextmanager
def running_stack(
    history: int = 0, settings: Mapping[str, str] | None = None
) -> Iterator[RunningStack]:
    """In a home of its own, with so many finished runs in its SQLite storage."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        home = Path(folder) / "home"
        if history:
            insert_finished_runs(home, history)
        command = [
            *(sys.executable, "-m", "api.cli", "up", "--json", "--home", str(home)),
            *("--port", str(free_port())),
        ]
        told: list[Event] = []
        environment = bare_environment(home) | dict(settings or {})
        with running(command, environment, Path(folder) / "stack.log") as process:
            ready = StackProcess(process.stdout or ()).until_ready(told.append)
            [key] = [event.key for event in told if isinstance(event, AdminKeyCreated)]
            [api] = [part for part in below(process) if part.cmdline()[1:] == ["-m", "api"]]
            headers = {"X-API-Key": key}
            with (
                httpx.Client(
                    base_url=ready.url, headers=headers, timeout=60.0, trust_env=False
                ) as rest,
                webserver_of(ready.home) as dagster,
            ):
                yield RunningStack(
                    rest,
                    dagster,
                    _store(rest, "silence.wav", _silence()),
                    psutil.Process(process.pid),
                    api,
                )


def _silence() -> bytes:
    """A tenth of a second of it."""
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(16000)
        sound.writeframes(bytes(3200))
    return file.getvalue()


def _store(rest: httpx.Client, name: str, content: bytes) -> str:
    """By a job that is not waited for."""
    answer = rest.post(
        "/api/v1/jobs",
        files={"video": (name, content)},
        data={"selected_pipelines": PIPELINE},
    )
    return str(_json(answer)["media"])


def _json(response: httpx.Response) -> dict[str, Any]:
    """Raises RuntimeError with the body of an error."""
    body: dict[str, Any] = _checked(response).json()
    return body


def _checked(response: httpx.Response) -> httpx.Response:
    if response.is_error:
        raise RuntimeError(f"{response.request.url}: {response.status_code} {response.text}")
    return response
