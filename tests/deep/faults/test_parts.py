"""Parts of the stack are killed while jobs are queued or under way: every job ends well, once."""

import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from api.stack.events import StackReady
from api.stack.restart import DELAYS_SECONDS, WINDOW_SECONDS

FindPart = Callable[[str], psutil.Process]
KillPart = Callable[[str], None]

CODE_SERVER = "orchestration.slower_polling dagster code-server start"
WEBSERVER = "orchestration.webserver"
DAEMON = "orchestration.launcher.daemon"
RUN_WORKERS = "orchestration.launcher.fork_server"
API = "-m api"


@pytest.fixture
def find_part(stack: StackReady, jobs: Any) -> Iterator[FindPart]:
    """Finds a part's process; afterwards, the stack has mended itself and jobs finish again."""

    def find(command: str) -> psutil.Process:
        for process in psutil.process_iter():
            if _belongs_to(process, stack) and _runs(process, command):
                return process
        raise AssertionError(f"{command} does not run")

    yield find
    _until_jobs_finish(jobs)


@pytest.fixture(scope="module")
def killed() -> dict[str, list[float]]:
    """When each part was killed, by a clock's seconds."""
    return defaultdict(list)


@pytest.fixture
def await_turn(killed: dict[str, list[float]]) -> Callable[[str], None]:
    """Waits until a part may be killed: of one that ends too often the stack rightly gives up."""

    def wait(command: str) -> None:
        times = killed[command][-len(DELAYS_SECONDS) :]
        if len(times) == len(DELAYS_SECONDS):
            time.sleep(max(0.0, times[0] + WINDOW_SECONDS + 5.0 - time.monotonic()))

    return wait


@pytest.fixture
def kill_part(
    find_part: FindPart, await_turn: Callable[[str], None], killed: dict[str, list[float]]
) -> KillPart:
    def kill(command: str) -> None:
        await_turn(command)
        find_part(command).kill()
        killed[command].append(time.monotonic())

    return kill


def _belongs_to(process: psutil.Process, stack: StackReady) -> bool:
    try:
        return process.environ().get("FRAMEGATE_HOME") == stack.home
    except psutil.Error:
        return False


def _runs(process: psutil.Process, command: str) -> bool:
    """The part itself: neither its keeper nor what was forked from it."""
    line = " ".join(process.cmdline())
    parent = process.parent()
    keeper = " ".join(parent.cmdline()) if parent else ""
    return line.endswith(command) or f"-m {command} " in f"{line} " if "keeper" in keeper else False


def _until_jobs_finish(jobs: Any) -> None:
    deadline = time.monotonic() + 120.0
    while True:
        try:
            job = jobs.submit("finish")
        except (AssertionError, httpx.TransportError):
            assert time.monotonic() < deadline
            time.sleep(0.5)
        else:
            assert jobs.wait(job)["status"] == "completed"
            return


def test_a_killed_daemon_costs_a_running_job_nothing(jobs: Any, kill_part: KillPart) -> None:
    job, _ = jobs.at_work("sleep", seconds=3.0)

    kill_part(DAEMON)

    assert jobs.wait(job)["status"] == "completed"


def test_a_job_can_be_cancelled_while_the_daemon_is_away(jobs: Any, kill_part: KillPart) -> None:
    job, worker = jobs.at_work("sleep")

    kill_part(DAEMON)

    assert jobs.cancel(job)["status"] == "CANCELLED"
    assert not worker.is_running()


def test_jobs_queued_while_the_daemon_dies_all_finish(jobs: Any, kill_part: KillPart) -> None:
    queued = [jobs.submit("finish") for _ in range(6)]

    kill_part(DAEMON)
    queued += [jobs.submit("finish") for _ in range(2)]

    assert [jobs.wait(job)["status"] for job in queued] == ["completed"] * 8


def test_running_jobs_do_not_need_the_code_server(jobs: Any, kill_part: KillPart) -> None:
    first, _ = jobs.at_work("sleep", seconds=3.0)
    second, _ = jobs.at_work("sleep", seconds=3.0)

    kill_part(CODE_SERVER)

    assert jobs.wait(first)["status"] == "completed"
    assert jobs.wait(second)["status"] == "completed"


@pytest.mark.parametrize("part", [WEBSERVER, API])
def test_running_jobs_do_not_need_the_front(jobs: Any, kill_part: KillPart, part: str) -> None:
    job, _ = jobs.at_work("sleep", seconds=3.0)

    kill_part(part)

    assert jobs.wait(job)["status"] == "completed"


def test_a_job_whose_workers_server_dies_goes_back_into_the_queue_and_finishes(
    jobs: Any, kill_part: KillPart
) -> None:
    job, worker = jobs.at_work("sleep", seconds=5.0)

    kill_part(RUN_WORKERS)

    ended = jobs.wait(job)
    assert ended["status"] == "completed", ended
    assert not worker.is_running()


def test_a_job_submitted_while_the_workers_server_is_away_waits_for_it(
    jobs: Any, kill_part: KillPart
) -> None:
    kill_part(RUN_WORKERS)

    job = jobs.submit("finish")

    assert jobs.wait(job)["status"] == "completed"


def test_a_pipeline_that_does_not_load_fails_its_run_and_spares_those_under_way(
    jobs: Any, third_party: Path
) -> None:
    running, _ = jobs.at_work("sleep", seconds=60.0)
    source = third_party / "framegate_misbehaving" / "annotate.py"
    good = source.read_text()
    source.write_text("raise ImportError('half an edit')")
    try:
        failed = jobs.wait(jobs.submit("finish"), {"failed"})
    finally:
        source.write_text(good)

    assert "half an edit" in failed["error_message"]
    assert jobs.get(running)["status"] == "running"
    assert jobs.cancel(running)["status"] == "CANCELLED"


def test_edited_code_is_picked_up_by_the_next_run(
    jobs: Any, find_part: FindPart, third_party: Path
) -> None:
    server = find_part(RUN_WORKERS)
    running, _ = jobs.at_work("sleep", seconds=20.0)
    source = third_party / "framegate_misbehaving" / "annotate.py"
    good = source.read_text()
    source.write_text(good.replace("as asked", "as edited"))
    try:
        edited = jobs.wait(jobs.submit("raise"))
    finally:
        source.write_text(good)

    assert "as edited" in edited["error_message"]
    assert server.is_running()
    assert jobs.get(running)["status"] == "running"
    assert jobs.cancel(running)["status"] == "CANCELLED"


def test_a_daemon_killed_while_it_launches_a_job_costs_it_nothing(
    jobs: Any, find_part: FindPart, kill_part: KillPart, await_turn: Callable[[str], None]
) -> None:
    """The launch is under way when nobody waits for its answer any more: it must count."""
    await_turn(DAEMON)
    server = find_part(RUN_WORKERS)
    server.suspend()
    try:
        job = jobs.submit("finish")
        deadline = time.monotonic() + 60.0
        while jobs.get(job)["queue_position"] is not None:  # then its launch has begun
            assert time.monotonic() < deadline
            time.sleep(0.05)
        kill_part(DAEMON)
    finally:
        server.resume()

    assert jobs.wait(job)["status"] == "completed"
