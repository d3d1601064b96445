"""Every process of the stack is killed at the same moment, as when the power fails."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from api.cli.stack_process import StackProcess
from api.stack.events import AdminKeyCreated, Event
from contracts.home import Home
from tests.ports import free_port

GIB = 2**30
AT_ONCE = 2
QUEUED = 20


@pytest.fixture
def settings(tmp_path: Path) -> dict[str, str]:
    """One device for two jobs at once, so that the others wait."""
    device = tmp_path / "gpus" / "GPU-1"
    device.mkdir(parents=True)
    (device / "total").write_text(str(8 * GIB))
    return {
        "FRAMEGATE_INVENTORY": "framegate_fake_gpu:FakeInventory",
        "FRAMEGATE_FAKE_GPUS": str(device.parent),
        "FRAMEGATE_GPU_SLOTS": str(AT_ONCE),
    }


@pytest.fixture
def start(
    start_up: Callable[..., subprocess.Popen[str]], tmp_path: Path, settings: dict[str, str]
) -> Iterator[Callable[[], list[Event]]]:
    """Starts a stack in the same home at the same port each time, and stops the last one."""
    port = free_port()
    started: list[subprocess.Popen[str]] = []

    def start() -> list[Event]:
        told: list[Event] = []
        process = start_up(tmp_path / "home", settings=settings, port=port)
        started.append(process)
        StackProcess(process.stdout or ()).until_ready(told.append)
        return told

    yield start
    for process in started:
        process.terminate()
        process.communicate(timeout=60)


def _kill(home: Path) -> None:
    """SIGKILL to all of them; they stand still first, so that none can see another one die."""
    processes = [process for process in psutil.process_iter() if _lives_in(process, home)]
    assert len(processes) > 2 * AT_ONCE
    for process in processes:
        process.suspend()
    for process in processes:
        process.kill()
    _gone, alive = psutil.wait_procs(processes, timeout=30)
    assert not alive


def _lives_in(process: psutil.Process, home: Path) -> bool:
    try:
        return (
            process.environ().get("FRAMEGATE_HOME") == str(home) or str(home) in process.cmdline()
        )
    except psutil.Error:
        return False


@pytest.mark.slow
def test_a_power_failure_loses_no_accepted_job_and_doubles_none(
    start: Callable[[], list[Event]], make_jobs: Callable[..., Any], tmp_path: Path, clip: Path
) -> None:
    told = start()
    [key] = [event.key for event in told if isinstance(event, AdminKeyCreated)]
    with httpx.Client(
        base_url=told[-1].url,
        headers={"X-API-Key": key},
        timeout=60,  # type: ignore[union-attr]
    ) as client:
        with clip.open("rb") as file:
            media = client.post(
                "/api/v1/jobs",
                files={"video": ("silence.wav", file)},
                data={"selected_pipelines": "misbehaving"},
            ).json()["media"]
        home, go = tmp_path / "home", tmp_path / "go"
        with make_jobs(client, Home(home), media) as jobs:
            running = [
                jobs.at_work("sleep", until=str(go), gpu_memory=GIB)[0] for _ in range(AT_ONCE)
            ]
            queued = [jobs.submit("finish", gpu_memory=GIB) for _ in range(QUEUED)]
            assert {jobs.get(job)["status"] for job in queued} == {"pending"}

            _kill(home)
            go.touch()
            start()

            ended = [jobs.wait(job, timeout=240.0) for job in [*running, *queued]]
            assert [job["status"] for job in ended] == ["completed"] * (AT_ONCE + QUEUED)
            listed = client.get("/api/v1/jobs", params={"per_page": 100}).json()
            assert listed["total"] == 1 + AT_ONCE + QUEUED
