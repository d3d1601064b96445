"""Jobs of the misbehaving pipeline, and the promise that holds after whatever was done to them."""

import time
import wave
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import psutil
import pytest
from dagster import DagsterEventType, DagsterInstance, RunsFilter

from api.stack.events import StackReady
from contracts.home import Home
from contracts.retry import PARENT_TAG
from contracts.run import USER_TAG_PREFIX
from orchestration.launcher.instances import open_instance

TERMINAL = {"completed", "failed", "cancelled"}
_TERMINAL_EVENTS = {
    DagsterEventType.PIPELINE_SUCCESS,
    DagsterEventType.PIPELINE_FAILURE,
    DagsterEventType.PIPELINE_CANCELED,
}
_LOOK_SECONDS = 0.05
_LABEL = "submission"


@dataclass
class Jobs:
    """Submits jobs of the misbehaving pipeline and watches them, over REST alone."""

    client: httpx.Client
    home: Home
    media: str
    accepted: list[str] = field(default_factory=list)
    #: Of each job that was submitted here, the tag that its run alone has.
    labels: dict[str, str] = field(default_factory=dict)
    #: The workers and supervisors that were seen at work.
    processes: list[psutil.Process] = field(default_factory=list)

    def submit(self, behaviour: str, **config: Any) -> str:
        return self.submit_with(priority=0, behaviour=behaviour, **config)

    def submit_with(self, *, priority: int, **config: Any) -> str:
        label = uuid4().hex
        response = self.client.post(
            "/api/v1/jobs",
            json={
                "media": self.media,
                "pipelines": ["misbehaving"],
                "config": {"misbehaving": config},
                "priority": priority,
                "tags": {_LABEL: label},
            },
        )
        assert response.status_code == 201, response.text
        job: str = response.json()["id"]
        self.accepted.append(job)
        self.labels[job] = label
        return job

    def get(self, job: str) -> dict[str, Any]:
        response = self.client.get(f"/api/v1/jobs/{job}")
        assert response.status_code == 200, response.text
        body: dict[str, Any] = response.json()
        return body

    def cancel(self, job: str) -> dict[str, Any]:
        response = self.client.post(f"/api/v1/jobs/{job}/cancel")
        assert response.status_code == 200, response.text
        body: dict[str, Any] = response.json()
        return body

    def wait(
        self, job: str, statuses: set[str] = TERMINAL, timeout: float = 120.0
    ) -> dict[str, Any]:
        """The job once it has one of the statuses; the API may be away meanwhile."""
        deadline = time.monotonic() + timeout
        seen: dict[str, Any] = {}
        while time.monotonic() < deadline:
            try:
                seen = self.client.get(f"/api/v1/jobs/{job}").json()
            except httpx.TransportError:
                seen = {}
            if seen.get("status") in statuses:
                return seen
            time.sleep(_LOOK_SECONDS)
        raise AssertionError(f"{job} did not become {statuses}: {seen}")

    def wait_for_reason(self, job: str, reason: str) -> None:
        """Until the job says that it waits for this reason."""
        deadline = time.monotonic() + 60.0
        while reason not in ((seen := self.get(job))["waiting_reason"] or ""):
            assert time.monotonic() < deadline, seen
            time.sleep(_LOOK_SECONDS)

    def at_work(self, behaviour: str, **config: Any) -> tuple[str, psutil.Process]:
        """A job whose pipeline has begun, and its run worker."""
        job = self.submit(behaviour, **config)
        return job, self.await_start(job)

    def await_start(self, job: str) -> psutil.Process:
        """The run worker, once the pipeline has begun."""
        started = self.home.partial(job) / "misbehaving" / "started.txt"
        deadline = time.monotonic() + 120.0
        while not (started.exists() and started.read_text()):
            assert time.monotonic() < deadline, self.get(job)
            time.sleep(_LOOK_SECONDS)
        worker = psutil.Process(int(started.read_text()))
        supervisor = worker.parent()
        self.processes += [worker, supervisor] if supervisor else [worker]
        return worker


def assert_ended_once(jobs: Jobs, job: str, instance: DagsterInstance) -> None:
    """The job is one run with one terminal state that stays; it left no lease, socket or partial
    file.
    """
    status = jobs.wait(job)["status"]
    if label := jobs.labels.get(job):
        runs = instance.get_runs(RunsFilter(tags={f"{USER_TAG_PREFIX}{_LABEL}": label}))
        assert [run.run_id for run in runs if PARENT_TAG not in run.tags] == [job]
    events = [
        entry
        for entry in instance.all_logs(job)
        if entry.dagster_event and entry.dagster_event.event_type in _TERMINAL_EVENTS
    ]
    assert len(events) == 1, events
    assert not jobs.home.partial(job).exists()
    assert not (jobs.home.run / "leases" / f"{job}.json").exists()
    _await_absence(jobs.home.run / "runs" / f"{job}.sock")
    has_results = (jobs.home.results(job) / "misbehaving").exists()
    assert has_results or status != "completed"
    assert jobs.get(job)["status"] == status


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The smallest media there is: a tenth of a second of silence."""
    path = tmp_path_factory.mktemp("media") / "silence.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16000)
        file.writeframes(bytes(3200))
    return path


@pytest.fixture(scope="session")
def media(rest: httpx.Client, clip: Path) -> str:
    """The clip, stored once: later submissions name it by its hash."""
    with clip.open("rb") as file:
        response = rest.post(
            "/api/v1/jobs",
            files={"video": ("silence.wav", file)},
            data={"selected_pipelines": "misbehaving"},
        )
    assert response.status_code == 201, response.text
    hashed: str = response.json()["media"]
    return hashed


@pytest.fixture
def make_jobs(
    monkeypatch: pytest.MonkeyPatch, database_of: Callable[[Path], Mapping[str, str]]
) -> Callable[..., AbstractContextManager[Jobs]]:
    """Afterwards, whatever was done to the stack: see `assert_ended_once`.

    Keyword arguments are environment variables that the stack was given as well.
    """

    @contextmanager
    def make(client: httpx.Client, home: Home, media: str, **given: str) -> Iterator[Jobs]:
        jobs = Jobs(client, home, media)
        yield jobs
        settings = {"FRAMEGATE_HOME": str(home.root), **database_of(home.root), **given}
        for name, value in settings.items():  # dagster.yaml's classes read them
            monkeypatch.setenv(name, value)
        with open_instance(home.dagster) as instance:
            for job in jobs.accepted:
                assert_ended_once(jobs, job, instance)
        _gone, alive = psutil.wait_procs(jobs.processes, timeout=60)
        assert alive == []

    return make


@pytest.fixture
def jobs(
    make_jobs: Callable[..., AbstractContextManager[Jobs]],
    stack: StackReady,
    rest: httpx.Client,
    media: str,
) -> Iterator[Jobs]:
    with make_jobs(rest, Home(Path(stack.home)), media) as jobs:
        yield jobs


def _await_absence(path: Path) -> None:
    """The supervisor tells how the run ended first, and takes its socket away then."""
    deadline = time.monotonic() + 60
    while path.exists():
        assert time.monotonic() < deadline, f"{path} stays"
        time.sleep(_LOOK_SECONDS)
