"""Leases, proof of release and the reasons to wait, on a stack whose GPUs are made of files."""

import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.cli.stack_process import StackProcess
from api.stack.events import AdminKeyCreated, Event
from contracts.home import Home

GIB = 2**30
UUID = "GPU-8"


@pytest.fixture(scope="module")
def gpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One device of 8 GiB."""
    folder = tmp_path_factory.mktemp("gpus")
    (folder / UUID).mkdir()
    (folder / UUID / "total").write_text(str(8 * GIB))
    return folder


@pytest.fixture(scope="module")
def gpu_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("gpu-stack") / "home"


@pytest.fixture(scope="module")
def gpu_rest(start_up: Callable[..., Any], gpus: Path, gpu_home: Path) -> Iterator[httpx.Client]:
    settings = {
        "FRAMEGATE_INVENTORY": "framegate_fake_gpu:FakeInventory",
        "FRAMEGATE_FAKE_GPUS": str(gpus),
        "FRAMEGATE_GPU_SLOTS": "2",
    }
    told: list[Event] = []
    with start_up(gpu_home, settings=settings) as process:
        ready = StackProcess(process.stdout).until_ready(told.append)
        [key] = [event.key for event in told if isinstance(event, AdminKeyCreated)]
        headers = {"X-API-Key": key}
        with httpx.Client(base_url=ready.url, headers=headers, timeout=60) as client:
            yield client
        process.terminate()
        process.communicate(timeout=60)


@pytest.fixture(scope="module")
def gpu_media(gpu_rest: httpx.Client, clip: Path) -> str:
    with clip.open("rb") as file:
        answer = gpu_rest.post(
            "/api/v1/jobs",
            files={"video": ("silence.wav", file)},
            data={"selected_pipelines": "misbehaving"},
        ).json()
    media: str = answer["media"]
    return media


@pytest.fixture
def gpu_jobs(
    make_jobs: Callable[..., Any], gpu_rest: httpx.Client, gpu_home: Path, gpu_media: str
) -> Iterator[Any]:
    with make_jobs(gpu_rest, Home(gpu_home), gpu_media) as jobs:
        yield jobs


def _gpu_health(rest: httpx.Client) -> Mapping[str, Any]:
    health = rest.get("/api/v1/health", params={"detailed": "true"}).json()
    device: Mapping[str, Any] = health["details"]["gpu"]["devices"][0]
    return device


def _wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60.0
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_run_sees_the_device_that_it_leased_and_its_cancellation_proves_the_release(
    gpu_jobs: Any,
) -> None:
    job, _ = gpu_jobs.at_work("hold_gpu", gpu_memory=2 * GIB)

    cancelled = gpu_jobs.cancel(job)

    assert cancelled["status"] == "CANCELLED"
    assert cancelled["gpu"]["device"] == UUID
    assert cancelled["gpu"]["held_bytes"] == 2 * GIB
    assert cancelled["gpu"]["released"] is True
    assert cancelled["gpu"]["verified_at"].endswith("Z")


def test_a_run_that_does_not_fit_waits_and_says_why_until_memory_is_free(gpu_jobs: Any) -> None:
    first, _ = gpu_jobs.at_work("hold_gpu", gpu_memory=6 * GIB)
    second = gpu_jobs.submit("finish", gpu_memory=4 * GIB)
    small = gpu_jobs.submit("finish", gpu_memory=GIB)

    assert gpu_jobs.wait(small)["status"] == "completed"
    waiting = gpu_jobs.get(second)
    assert waiting["status"] == "pending"
    assert waiting["queue_position"] == 1
    gpu_jobs.wait_for_reason(
        second, "Needs about 4.0 GiB of GPU memory; 2.0 GiB are free on Fake GPU-8."
    )

    gpu_jobs.cancel(first)
    assert gpu_jobs.wait(second)["status"] == "completed"


def test_memory_that_others_hold_counts(gpu_jobs: Any, gpus: Path) -> None:
    foreign = gpus / UUID / "1"
    foreign.write_text(str(7 * GIB))
    job = gpu_jobs.submit("finish", gpu_memory=4 * GIB)
    gpu_jobs.wait_for_reason(job, "1.0 GiB are free")

    foreign.unlink()

    assert gpu_jobs.wait(job)["status"] == "completed"


def test_slots_cap_the_runs_of_a_device(gpu_jobs: Any) -> None:
    running = [gpu_jobs.at_work("hold_gpu", gpu_memory=GIB)[0] for _ in range(2)]
    third = gpu_jobs.submit("finish", gpu_memory=GIB)

    gpu_jobs.wait_for_reason(third, "Waiting: every GPU already runs 2 job(s).")

    for job in running:
        gpu_jobs.cancel(job)
    assert gpu_jobs.wait(third)["status"] == "completed"


def test_a_job_that_fits_no_device_ever_is_refused_at_submission(
    gpu_rest: httpx.Client, gpu_media: str
) -> None:
    body = {
        "media": gpu_media,
        "pipelines": ["misbehaving"],
        "config": {"misbehaving": {"gpu_memory": 100 * GIB}},
    }

    response = gpu_rest.post("/api/v1/jobs", json=body)

    assert response.status_code == 507
    assert response.json()["error"]["code"] == "GPU_OUT_OF_MEMORY"


def test_validation_warns_of_a_config_that_fits_no_device(gpu_rest: httpx.Client) -> None:
    body = {"pipeline": "misbehaving", "config": {"gpu_memory": 100 * GIB}}

    verdict = gpu_rest.post("/api/v1/pipelines/validate", json=body).json()

    assert verdict["valid"]
    assert len(verdict["warnings"]) == 1


def test_memory_that_does_not_come_back_takes_the_device_out_of_service_until_it_is(
    gpu_jobs: Any, gpu_rest: httpx.Client, gpus: Path
) -> None:
    job, worker = gpu_jobs.at_work("stuck_gpu", gpu_memory=2 * GIB)

    response = gpu_rest.post(f"/api/v1/jobs/{job}/cancel")

    assert response.status_code == 500
    error = response.json()["error"]
    assert error["code"] == "CANCELLATION_FAILED"
    assert error["detail"]["pids"] == [worker.pid]
    assert _gpu_health(gpu_rest)["in_service"] is False
    waiting = gpu_jobs.submit("finish", gpu_memory=GIB)
    gpu_jobs.wait_for_reason(waiting, "out of service")

    (gpus / UUID / f"{worker.pid}.stuck").unlink()

    assert gpu_jobs.wait(job)["status"] == "cancelled"
    assert gpu_jobs.wait(waiting)["status"] == "completed"
    assert _gpu_health(gpu_rest)["in_service"] is True


def test_memory_that_a_crash_leaves_behind_is_waited_for_too(
    gpu_jobs: Any, gpu_rest: httpx.Client, gpus: Path
) -> None:
    job, worker = gpu_jobs.at_work("stuck_gpu", gpu_memory=2 * GIB)
    _wait_until((gpus / UUID / f"{worker.pid}.stuck").exists)

    worker.kill()

    _wait_until(lambda: not _gpu_health(gpu_rest)["in_service"])
    assert gpu_jobs.get(job)["status"] == "running"

    (gpus / UUID / f"{worker.pid}.stuck").unlink()

    assert gpu_jobs.wait(job)["error"]["code"] == "WORKER_KILLED"
    assert _gpu_health(gpu_rest)["in_service"] is True


def test_a_killed_supervisor_gives_its_device_back(gpu_jobs: Any) -> None:
    job, worker = gpu_jobs.at_work("hold_gpu", gpu_memory=6 * GIB)
    waiting = gpu_jobs.submit("finish", gpu_memory=6 * GIB)
    gpu_jobs.wait_for_reason(waiting, "GPU memory")

    worker.parent().kill()

    assert gpu_jobs.wait(job)["error"]["code"] == "WORKER_LOST"
    assert gpu_jobs.wait(waiting)["status"] == "completed"


def test_a_pipeline_of_dagsters_pool_waits_for_a_device_and_says_so(
    gpu_jobs: Any, gpu_rest: httpx.Client
) -> None:
    """Its op is in the pool, which Dagster would have blocked it by, without a word."""
    busy = [gpu_jobs.at_work("hold_gpu", gpu_memory=GIB)[0] for _ in range(2)]
    body = {"media": gpu_jobs.media, "pipelines": ["face_detection"]}
    waiting = gpu_rest.post("/api/v1/jobs", json=body).json()["id"]

    gpu_jobs.wait_for_reason(waiting, "Waiting: every GPU already runs 2 job(s).")

    gpu_rest.post(f"/api/v1/jobs/{waiting}/cancel")
    for job in busy:
        gpu_jobs.cancel(job)


def test_a_higher_priority_leaves_the_queue_first(gpu_jobs: Any) -> None:
    blockers = [gpu_jobs.at_work("hold_gpu", gpu_memory=GIB)[0] for _ in range(2)]
    low = gpu_jobs.submit("finish", gpu_memory=GIB)
    high = gpu_jobs.submit_with(priority=5, behaviour="finish", gpu_memory=GIB)

    assert gpu_jobs.get(high)["queue_position"] == 1
    assert gpu_jobs.get(low)["queue_position"] == 2

    gpu_jobs.cancel(blockers[0])
    gpu_jobs.wait(high)
    gpu_jobs.cancel(blockers[1])
    started = {job: gpu_jobs.wait(job)["started_at"] for job in (low, high)}
    assert started[high] < started[low]
