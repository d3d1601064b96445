"""Limits on a stack that has set them: what exceeds one fails and says so, and all else goes on."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.stack.events import StackReady
from contracts.home import Home
from contracts.json_file import read_json
from orchestration.launcher import messages

SETTINGS = {
    "FRAMEGATE_MEMORY_LIMITS_GB": '{"misbehaving": 1}',
    "FRAMEGATE_TIME_LIMITS": '{"misbehaving": {"base_seconds": 5, "factor": 10}}',
}


@pytest.fixture(scope="module")
def limited(
    running_stack: Callable[..., AbstractContextManager[tuple[StackReady, str]]],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[httpx.Client, Home]]:
    home = tmp_path_factory.mktemp("limited") / "home"
    with (
        running_stack(home, **SETTINGS) as (ready, key),
        httpx.Client(
            base_url=ready.url, headers={"X-API-Key": key}, timeout=60, trust_env=False
        ) as client,
    ):
        yield client, Home(Path(ready.home))


@pytest.fixture
def limited_jobs(
    make_jobs: Callable[..., Any], limited: tuple[httpx.Client, Home], clip: Path
) -> Iterator[Any]:
    client, home = limited
    with clip.open("rb") as file:
        stored = client.post(
            "/api/v1/jobs",
            files={"video": ("silence.wav", file)},
            data={"selected_pipelines": "speech_activity"},
        ).json()["media"]
    with make_jobs(client, home, stored, **SETTINGS) as jobs:
        yield jobs


def _server(home: Home) -> dict[str, Any]:
    return messages.ask(home.fork_server_socket, {"action": "status"})


def test_a_run_that_fills_memory_is_told_its_limit_and_others_go_on(limited_jobs: Any) -> None:
    other, _ = limited_jobs.at_work("sleep", seconds=4.0)
    greedy = limited_jobs.submit("allocate")

    error = limited_jobs.wait(greedy, {"failed"})["error"]
    assert error["code"] == "MEMORY_LIMIT"
    assert "during misbehaving: its limit is 1.00 GB, its peak was" in error["message"]
    assert "FRAMEGATE_MEMORY_LIMITS_GB" in error["hint"]
    assert limited_jobs.wait(other)["status"] == "completed"
    assert _server(limited_jobs.home)["runs"] is not None


@pytest.mark.parametrize("behaviour", ["sleep", "swallow", "native"])
def test_a_pipeline_that_takes_too_long_is_told_its_limit_and_the_medias_length(
    limited_jobs: Any, behaviour: str
) -> None:
    job = limited_jobs.submit(behaviour)

    failed = limited_jobs.wait(job, {"failed"})
    assert failed["error"]["code"] == "TIME_LIMIT"
    assert "misbehaving took longer than it may: its limit is 6 s" in failed["error"]["message"]
    assert "media of 0.1 s" in failed["error"]["message"]
    assert failed["pipeline_results"]["misbehaving"]["error"]["code"] == "TIME_LIMIT"


def test_what_had_completed_before_the_limit_keeps_its_results(
    limited_jobs: Any, limited: tuple[httpx.Client, Home]
) -> None:
    client, _home = limited
    job = client.post(
        "/api/v1/jobs",
        json={
            "media": limited_jobs.media,
            "pipelines": ["face_detection", "misbehaving"],
            "config": {"misbehaving": {"behaviour": "sleep"}},
        },
    ).json()["id"]

    failed = limited_jobs.wait(job, {"failed"})

    assert failed["error"]["code"] == "TIME_LIMIT"
    assert failed["pipeline_results"]["face_detection"]["status"] == "completed"
    assert failed["pipeline_results"]["misbehaving"]["status"] == "failed"


def test_the_stack_notes_by_what_means_memory_is_limited(
    limited: tuple[httpx.Client, Home],
) -> None:
    note = read_json(limited[1].memory_limits)

    assert note is not None
    assert bool(note["groups"]) != bool(note["reason"])
