"""The wall clock jumps under the running stack, by hours in both directions."""

import json
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

HOUR = 3600


class Clock:
    """What time the stack believes it is, `seconds` off."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.set(0)

    def set(self, seconds: int) -> None:
        with self.file.open("r+b" if self.file.exists() else "wb") as file:
            file.write((seconds * 10**9).to_bytes(8, "little", signed=True))


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """See clock.c; the system's own clock belongs to everybody."""
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("moving a clock for one stack alone takes a C compiler")
    library = tmp_path_factory.mktemp("clock") / "clock.so"
    source = Path(__file__).with_name("clock.c")
    subprocess.run([compiler, "-O2", "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
    return library


@pytest.fixture(scope="module")
def clock(tmp_path_factory: pytest.TempPathFactory) -> Clock:
    return Clock(tmp_path_factory.mktemp("time") / "offset")


@pytest.fixture(scope="module")
def clock_stack(own_stack: Callable[..., Any], library: Path, clock: Clock) -> Iterator[Any]:
    with own_stack(LD_PRELOAD=str(library), FRAMEGATE_TEST_CLOCK=str(clock.file)) as stack:
        yield stack


@pytest.fixture
def clock_jobs(make_jobs: Callable[..., Any], clock_stack: Any, clock: Clock) -> Iterator[Any]:
    with make_jobs(clock_stack.client, clock_stack.home, clock_stack.media) as jobs:
        yield jobs
    clock.set(0)


def test_the_stack_sees_the_clock_that_the_test_sets(clock_stack: Any, clock: Clock) -> None:
    clock.set(HOUR)
    ahead = clock_stack.client.get("/api/v1/health").json()["timestamp"]
    clock.set(0)

    assert 0.9 * HOUR < datetime.fromisoformat(ahead).timestamp() - time.time() < 1.1 * HOUR


@pytest.mark.parametrize("jump", [3 * HOUR, -3 * HOUR], ids=["ahead", "back"])
def test_jobs_under_way_and_new_ones_complete_when_the_clock_jumps(
    clock_jobs: Any, clock: Clock, tmp_path: Path, jump: int
) -> None:
    go = tmp_path / "go"
    running = [clock_jobs.at_work("sleep", until=str(go))[0] for _ in range(2)]

    clock.set(jump)
    new = [clock_jobs.submit("finish") for _ in range(2)]
    assert [clock_jobs.wait(job)["status"] for job in new] == ["completed"] * 2
    assert [clock_jobs.get(job)["status"] for job in running] == ["running"] * 2
    cancelled = running.pop()
    assert clock_jobs.cancel(cancelled)["status"] == "CANCELLED"
    go.touch()

    assert [clock_jobs.wait(job)["status"] for job in running] == ["completed"]


def test_an_idempotency_key_makes_one_job_on_both_sides_of_a_jump(
    clock_jobs: Any, clock_stack: Any, clock: Clock
) -> None:
    body = {"media": clock_jobs.media, "pipelines": ["misbehaving"]}
    answers = []
    for jump in (0, 3 * HOUR, -3 * HOUR):
        clock.set(jump)
        answers.append(
            clock_stack.client.post(
                "/api/v1/jobs", json=body, headers={"Idempotency-Key": "jump"}
            ).json()
        )

    assert len({answer["id"] for answer in answers}) == 1
    clock_jobs.accepted.append(answers[0]["id"])


def test_an_event_stream_goes_on_when_the_clock_is_set_back(
    clock_jobs: Any, clock_stack: Any, clock: Clock
) -> None:
    clock.set(3 * HOUR)
    clock_jobs.wait(clock_jobs.submit("finish"))
    heard: list[str] = []

    def listen() -> None:
        with clock_stack.client.stream("GET", "/api/v1/events/stream", timeout=90) as stream:
            for line in stream.iter_lines():
                if line.startswith("data:"):
                    event = json.loads(line.removeprefix("data:"))
                    heard.append(f"{event['job_id']} {event['status']}")
                if job and heard and heard[-1] == f"{job[0]} completed":
                    return

    job: list[str] = []
    listener = Thread(target=listen)
    listener.start()
    job.append(clock_jobs.submit("sleep", seconds=3.0))
    clock_jobs.await_start(job[0])
    clock.set(0)

    listener.join(90)
    assert not listener.is_alive()
    assert heard[-1] == f"{job[0]} completed"
