"""The nightly batch on the real stack, launched as the Dagster UI does it."""

import os
import time
import wave
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.stack.events import StackReady
from orchestration.maintenance.library_batch import LIBRARY_BATCH
from tests.webserver import webserver_of

_HOUR = 3600.0
_PATIENCE = 120.0
_LAUNCH = """
mutation Launch($parameters: ExecutionParams!) {
  launchRun(executionParams: $parameters) {
    __typename
    ... on LaunchRunSuccess { run { runId } }
  }
}
"""
_STATUS = "query Status($run: ID!) { runOrError(runId: $run) { ... on Run { status } } }"

RunBatch = Callable[[Path], str]


@pytest.fixture
def library(tmp_path: Path) -> Path:
    """A folder with half a second of a hum, which no other test has."""
    path = tmp_path / "hum.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16000)
        file.writeframes(bytes(range(0, 160, 10)) * 1000)
    past = time.time() - _HOUR
    os.utime(path, (past, past))
    return tmp_path


@pytest.fixture
def run_batch(stack: StackReady) -> Iterator[RunBatch]:
    """Launches a batch by GraphQL, and returns its id once it has succeeded."""
    with webserver_of(stack.home) as webserver:

        def ask(document: str, **variables: Any) -> Any:
            answer = webserver.post(
                "/graphql", json={"query": document, "variables": variables}
            ).json()
            assert "errors" not in answer, answer
            return answer["data"]

        def run_batch(library: Path) -> str:
            config = {"roots": [str(library)], "pipelines": ["misbehaving"]}
            parameters = {
                "selector": {
                    "repositoryLocationName": "framegate",
                    "repositoryName": "__repository__",
                    "jobName": LIBRARY_BATCH,
                },
                "runConfigData": {"ops": {LIBRARY_BATCH: {"config": config}}},
            }
            launched = ask(_LAUNCH, parameters=parameters)["launchRun"]
            assert launched["__typename"] == "LaunchRunSuccess"
            run: str = launched["run"]["runId"]
            deadline = time.monotonic() + _PATIENCE
            while (status := ask(_STATUS, run=run)["runOrError"]["status"]) != "SUCCESS":
                assert status not in {"FAILURE", "CANCELED"}, status
                assert time.monotonic() < deadline, status
                time.sleep(0.1)
            return run

        yield run_batch


def _jobs_of_library(rest: httpx.Client) -> list[dict[str, Any]]:
    jobs = rest.get("/api/v1/jobs", params={"per_page": 100}).json()["jobs"]
    return [job for job in jobs if job["owner"] == "library"]


@pytest.mark.slow
def test_a_new_clip_in_the_library_becomes_one_job_and_no_second_one(
    rest: httpx.Client, run_batch: RunBatch, library: Path
) -> None:
    batch = run_batch(library)
    [job] = _jobs_of_library(rest)
    assert job["selected_pipelines"] == ["misbehaving"]
    assert job["video_filename"] == "hum.wav"
    assert rest.get(f"/api/v1/jobs/{batch}").status_code == 404, "maintenance is no job"

    deadline = time.monotonic() + _PATIENCE
    while (job := rest.get(f"/api/v1/jobs/{job['id']}").json())["status"] != "completed":
        assert job["status"] in {"pending", "running"}, job["error"]
        assert time.monotonic() < deadline, job
        time.sleep(0.1)
    run_batch(library)
    assert [job["id"] for job in _jobs_of_library(rest)] == [job["id"]]
