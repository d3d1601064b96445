"""The disk runs full under uploads, results and the database: nothing is lost, and all goes on."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from contracts.home import Home
from tests.disk import filled, mounted

MEBIBYTE = 2**20


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A disk of 64 MiB."""
    folder = tmp_path_factory.mktemp("disk")
    with mounted("-t", "tmpfs", "-o", "size=64m", "framegate-test", at=folder):
        yield folder


@pytest.fixture(scope="module")
def small_stack(running_stack: Callable[..., Any], disk: Path) -> Iterator[httpx.Client]:
    """A stack whose home lies there; it takes uploads until the very last byte."""
    with running_stack(disk / "home", FRAMEGATE_MINIMUM_FREE_BYTES="0") as (ready, key):
        headers = {"X-API-Key": key}
        with httpx.Client(base_url=ready.url, headers=headers, timeout=60) as client:
            yield client


@pytest.fixture(scope="module")
def small_media(small_stack: httpx.Client, clip: Path) -> str:
    answer = _upload(small_stack, clip.read_bytes())
    assert answer.status_code == 201, answer.text
    media: str = answer.json()["media"]
    return media


@pytest.fixture
def small_jobs(
    make_jobs: Callable[..., Any], small_stack: httpx.Client, disk: Path, small_media: str
) -> Iterator[Any]:
    with make_jobs(small_stack, Home(disk / "home"), small_media) as jobs:
        yield jobs


def _upload(client: httpx.Client, video: bytes) -> httpx.Response:
    return client.post(
        "/api/v1/jobs",
        files={"video": ("silence.wav", video)},
        data={"selected_pipelines": "misbehaving"},
    )


def test_an_upload_that_fills_the_disk_is_refused_and_leaves_nothing(
    small_jobs: Any, small_stack: httpx.Client, disk: Path
) -> None:
    """Its size is not announced: it is noticed on the way."""
    request = small_stack.build_request(
        "POST",
        "/api/v1/jobs",
        files={"video": ("noise.wav", os.urandom(8 * MEBIBYTE))},
        data={"selected_pipelines": "misbehaving"},
    )
    body = request.read()
    kind = {"Content-Type": request.headers["content-type"]}
    pieces = (body[at : at + MEBIBYTE] for at in range(0, len(body), MEBIBYTE))

    with filled(disk, leave=6 * MEBIBYTE):
        refused = small_stack.post("/api/v1/jobs", content=pieces, headers=kind)

    assert refused.status_code == 507, refused.text
    assert refused.json()["error"]["code"] == "STORAGE_FULL"
    assert refused.json()["error"]["hint"]
    assert list((disk / "home" / "uploads").iterdir()) == []
    assert small_jobs.wait(small_jobs.submit("finish"))["status"] == "completed"


def test_a_pipeline_that_fills_the_disk_fails_and_leaves_nothing_of_its_results(
    small_jobs: Any,
) -> None:
    job = small_jobs.submit("fill_disk")

    failed = small_jobs.wait(job, {"failed"})

    assert failed["error"]["code"] == "STORAGE_FULL"
    assert failed["error"]["hint"] == "Free some space, then run the job again."
    assert small_jobs.wait(small_jobs.submit("finish"))["status"] == "completed"


def test_jobs_under_way_and_queued_outlast_a_full_disk(
    small_jobs: Any, disk: Path, tmp_path: Path
) -> None:
    """What there is to tell of them is told once there is room again."""
    go = tmp_path / "go"
    running = [small_jobs.at_work("sleep", until=str(go))[0] for _ in range(8)]
    queued = [small_jobs.submit("finish") for _ in range(2)]

    with filled(disk):
        go.touch()
        for _ in range(6):
            _knock(small_jobs, queued[0])

    ended = [small_jobs.wait(job) for job in running]
    assert {job["status"] for job in ended} <= {"completed", "failed"}
    codes = {job["error"]["code"] for job in ended if job["status"] == "failed"}
    assert codes <= {"STORAGE_FULL"}
    assert [small_jobs.wait(job)["status"] for job in queued] == ["completed"] * 2


def _knock(jobs: Any, job: str) -> None:
    """Asks for a job, for half a second or so; the answer may be that there is no room."""
    answer = jobs.client.get(f"/api/v1/jobs/{job}")
    assert answer.status_code in {200, 503}, answer.text
    answer = jobs.client.post(
        "/api/v1/jobs", json={"media": jobs.media, "pipelines": ["misbehaving"]}
    )
    assert answer.status_code in {201, 503, 507}, answer.text
    if answer.status_code == 201:
        jobs.accepted.append(answer.json()["id"])
