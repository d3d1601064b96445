"""What a job reads or writes is taken away while it waits or runs."""

import io
import os
import shutil
import wave
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.disk import read_only


@pytest.fixture
def recording() -> bytes:
    """Half a second of noise that nobody has uploaded before."""
    with io.BytesIO() as buffer, wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16000)
        file.writeframes(os.urandom(16000))
        file.close()
        return buffer.getvalue()


@pytest.fixture
def upload(jobs: Any, rest: httpx.Client, recording: bytes) -> Path:
    """The recording in the media store."""
    answer = _post(rest, recording)
    jobs.accepted.append(answer["id"])
    jobs.wait(answer["id"])
    jobs.media = answer["media"]
    path: Path = jobs.home.media(answer["media"])
    return path


def _post(rest: httpx.Client, recording: bytes) -> dict[str, Any]:
    response = rest.post(
        "/api/v1/jobs",
        files={"video": ("noise.wav", recording)},
        data={"selected_pipelines": "misbehaving"},
    )
    assert response.status_code == 201, response.text
    body: dict[str, Any] = response.json()
    return body


def test_media_that_is_deleted_under_a_running_job_fails_what_still_needs_it(
    jobs: Any, rest: httpx.Client, upload: Path, tmp_path: Path, recording: bytes
) -> None:
    """Of two pipelines, the first one was at work, and has its results; posting it again helps."""
    go = tmp_path / "go"
    config = {"misbehaving": {"behaviour": "sleep", "until": str(go)}}
    body = {"media": jobs.media, "pipelines": ["misbehaving", "speech_activity"], "config": config}
    job = rest.post("/api/v1/jobs", json=body).json()["id"]
    jobs.accepted.append(job)
    jobs.await_start(job)

    upload.unlink()
    go.touch()

    failed = jobs.wait(job, {"failed"})
    error = failed["pipeline_results"]["speech_activity"]["error"]
    assert error["code"] == "INVALID_MEDIA"
    assert "submit the video again" in error["hint"]
    assert failed["pipeline_results"]["misbehaving"]["status"] == "completed"
    assert jobs.wait(_post(rest, recording)["id"])["status"] == "completed"


def test_media_that_is_deleted_under_a_queued_job_fails_it_with_a_hint(
    jobs: Any, upload: Path, tmp_path: Path
) -> None:
    go = tmp_path / "go"
    busy = [jobs.submit("sleep", until=str(go)) for _ in range(8)]
    queued = jobs.submit("finish")
    for job in busy:
        jobs.await_start(job)

    upload.unlink()
    go.touch()

    failed = jobs.wait(queued, {"failed"})
    assert failed["error"]["code"] == "INVALID_MEDIA"
    assert "after the job was submitted; submit the video again" in failed["error"]["hint"]
    assert [jobs.wait(job)["status"] for job in busy] == ["completed"] * 8


def test_a_job_whose_results_cannot_be_written_says_so_and_the_next_one_completes(
    jobs: Any, tmp_path: Path
) -> None:
    go = tmp_path / "go"
    running, _ = jobs.at_work("sleep", until=str(go))

    with read_only(jobs.home.jobs):
        go.touch()
        fresh = jobs.submit("finish")
        failed = [jobs.wait(job, {"failed"}) for job in (running, fresh)]

    for job in failed:
        assert job["error"]["code"] == "STORAGE_READ_ONLY"
        assert "Read-only file system" in job["error"]["message"]
        assert job["error"]["hint"]
        assert not jobs.home.results(job["id"]).exists()
    # It could not be removed, either; the next start of the stack does that.
    shutil.rmtree(jobs.home.partial(running))

    assert jobs.wait(jobs.submit("finish"))["status"] == "completed"
