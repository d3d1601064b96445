"""What is done to a run worker and its supervisor, by others and by the pipeline itself."""

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

#: A run that asks for GPU memory leases a device, or a slot on the processor.
LEASED = {"gpu_memory": 1}


def _holds_lease(jobs: Any, job: str) -> bool:
    return bool((jobs.home.run / "leases" / f"{job}.json").exists())


def test_a_killed_worker_fails_its_job_and_says_by_which_signal(jobs: Any) -> None:
    job, worker = jobs.at_work("sleep", **LEASED)
    assert _holds_lease(jobs, job)

    worker.kill()

    error = jobs.wait(job, {"failed"})["error"]
    assert error["code"] == "WORKER_KILLED"
    assert "SIGKILL" in error["message"]


def test_a_worker_killed_while_it_writes_leaves_nothing_half_written(jobs: Any) -> None:
    job, worker = jobs.at_work("write")
    lines = jobs.home.partial(job) / "misbehaving" / "lines.txt"
    deadline = time.monotonic() + 60.0
    while not (lines.exists() and lines.stat().st_size):
        assert time.monotonic() < deadline
        time.sleep(0.02)

    worker.kill()

    assert jobs.wait(job)["status"] == "failed"
    assert not jobs.home.results(job).exists()


def test_a_crash_in_native_code_is_told_by_its_signal(jobs: Any) -> None:
    job = jobs.submit("crash")

    error = jobs.wait(job, {"failed"})["error"]
    assert error["code"] == "WORKER_KILLED"
    assert "SIGSEGV" in error["message"]


def test_a_worker_that_exits_by_itself_is_lost_not_done(jobs: Any) -> None:
    job = jobs.submit("exit")

    error = jobs.wait(job, {"failed"})["error"]
    assert error["code"] == "WORKER_LOST"
    assert "exit code 3" in error["message"]


def test_an_exception_of_the_pipeline_is_the_jobs_error(jobs: Any) -> None:
    job = jobs.submit("raise")

    failed = jobs.wait(job, {"failed"})
    assert failed["error"]["code"] == "PIPELINE_FAILED"
    assert failed["error_message"].startswith(
        "misbehaving: ValueError: as asked (framegate_misbehaving/annotate.py, line "
    )


def test_a_gpu_that_is_too_small_is_called_that(jobs: Any) -> None:
    job = jobs.submit("gpu_out_of_memory")

    error = jobs.wait(job, {"failed"})["error"]
    assert error["code"] == "GPU_OUT_OF_MEMORY"
    assert "8, 4, 2, 1" in error["message"]
    assert error["hint"] == "Use a smaller side."


def test_a_killed_supervisor_takes_its_worker_along_and_the_job_fails(jobs: Any) -> None:
    job, worker = jobs.at_work("sleep", **LEASED)
    assert _holds_lease(jobs, job)

    worker.parent().kill()

    assert jobs.wait(job, {"failed"})["error"]["code"] == "WORKER_LOST"
    assert not worker.is_running()


def test_a_job_that_listens_is_cancelled(jobs: Any) -> None:
    job, worker = jobs.at_work("sleep", **LEASED)
    assert _holds_lease(jobs, job)

    assert jobs.cancel(job)["status"] == "CANCELLED"
    assert not worker.is_running()


@pytest.mark.parametrize("behaviour", ["swallow", "native"])
def test_a_job_that_does_not_listen_is_killed_after_its_grace(jobs: Any, behaviour: str) -> None:
    job, worker = jobs.at_work(behaviour)

    assert jobs.cancel(job)["status"] == "CANCELLED"
    assert not worker.is_running()


def _child(worker: psutil.Process) -> psutil.Process:
    """The child that sleeps, once there is one."""
    deadline = time.monotonic() + 60.0
    while not (children := [child for child in worker.children() if child.name() == "sleep"]):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return children[0]


def test_a_grandchild_in_a_session_of_its_own_is_killed_too(jobs: Any) -> None:
    job, worker = jobs.at_work("grandchild")
    grandchild = _child(worker)

    jobs.cancel(job)

    assert not grandchild.is_running()


def test_a_grandchild_does_not_outlive_a_killed_supervisor(jobs: Any) -> None:
    job, worker = jobs.at_work("grandchild")
    grandchild = _child(worker)

    worker.parent().kill()
    jobs.wait(job, {"failed"})

    psutil.wait_procs([grandchild], timeout=30)
    assert not grandchild.is_running()


@pytest.fixture
def small_cgroup() -> Iterator[Path]:
    """A memory cgroup of 256 MiB, where this user may make one."""
    for parent, limit in _memory_cgroups():
        group = parent / f"framegate-test-{os.getpid()}"
        with contextlib.suppress(OSError):
            group.mkdir()
            try:
                (group / limit).write_text(str(256 * 2**20))
                yield group
                return
            finally:
                group.rmdir()
    pytest.skip("this user may not limit memory by a cgroup on this machine")


def _memory_cgroups() -> Iterator[tuple[Path, str]]:
    """Where this process's memory cgroup lies, in either version, and its limit's name."""
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _number, controllers, path = line.split(":", 2)
        if "memory" in controllers.split(","):
            yield Path("/sys/fs/cgroup/memory", path.lstrip("/")), "memory.limit_in_bytes"
        elif not controllers:
            yield Path("/sys/fs/cgroup", path.lstrip("/")), "memory.max"


def test_a_job_that_eats_all_memory_is_told_what_killed_it(jobs: Any, small_cgroup: Path) -> None:
    job = jobs.submit("allocate", cgroup=str(small_cgroup))

    assert jobs.wait(job, {"failed"})["error"]["code"] == "HOST_OUT_OF_MEMORY"


def test_a_failed_pipeline_leaves_the_others_results_standing(
    jobs: Any, rest: httpx.Client
) -> None:
    body = {
        "media": jobs.media,
        "pipelines": ["misbehaving", "speech_activity"],
        "config": {"misbehaving": {"behaviour": "gpu_out_of_memory"}},
    }
    job = rest.post("/api/v1/jobs", json=body).json()["id"]

    failed = jobs.wait(job, {"failed"})

    assert failed["error"]["code"] == "GPU_OUT_OF_MEMORY"
    assert failed["pipeline_results"]["misbehaving"]["status"] == "failed"
    assert failed["pipeline_results"]["speech_activity"]["status"] == "completed"
    results = rest.get(f"/api/v1/jobs/{job}/results").json()
    assert list(results["pipelines"]) == ["speech_activity"]
