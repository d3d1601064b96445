"""Parts of the stack are killed while jobs are queued or under way: every job ends well, once."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from api.stack.events import StackReady

FindPart = Callable[[str], psutil.Process]

CODE_SERVER = "dagster code-server start"
WEBSERVER = "dagster_webserver"
DAEMON = "orchestration.launcher.daemon"
RUN_WORKERS = "orchestration.launcher.server"
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


def test_a_killed_daemon_costs_a_running_job_nothing(jobs: Any, find_part: FindPart) -> None:
    job, _ = jobs.at_work("sleep", seconds=3.0)

    find_part(DAEMON).kill()

    assert jobs.wait(job)["status"] == "completed"


def test_a_job_can_be_cancelled_while_the_daemon_is_away(jobs: Any, find_part: FindPart) -> None:
    job, worker = jobs.at_work("sleep")

    find_part(DAEMON).kill()

    assert jobs.cancel(job)["status"] == "CANCELLED"
    assert not worker.is_running()


def test_jobs_queued_while_the_daemon_dies_all_finish(jobs: Any, find_part: FindPart) -> None:
    queued = [jobs.submit("finish") for _ in range(6)]

    find_part(DAEMON).kill()
    queued += [jobs.submit("finish") for _ in range(2)]

    assert [jobs.wait(job)["status"] for job in queued] == ["completed"] * 8


def test_a_daemon_killed_while_it_launches_a_job_costs_it_nothing(
    jobs: Any, find_part: FindPart
) -> None:
    """The launch is under way when nobody waits for its answer any more: it must count."""
    server = find_part(RUN_WORKERS)
    server.suspend()
    try:
        job = jobs.submit("finish")
        deadline = time.monotonic() + 60.0
        while jobs.get(job)["queue_position"] is not None:  # then its launch has begun
            assert time.monotonic() < deadline
            time.sleep(0.05)
        find_part(DAEMON).kill()
    finally:
        server.resume()

    assert jobs.wait(job)["status"] == "completed"


def test_running_jobs_do_not_need_the_code_server(jobs: Any, find_part: FindPart) -> None:
    first, _ = jobs.at_work("sleep", seconds=3.0)
    second, _ = jobs.at_work("sleep", seconds=3.0)

    find_part(CODE_SERVER).kill()

    assert jobs.wait(first)["status"] == "completed"
    assert jobs.wait(second)["status"] == "completed"


@pytest.mark.parametrize("part", [WEBSERVER, API])
def test_running_jobs_do_not_need_the_front(jobs: Any, find_part: FindPart, part: str) -> None:
    job, _ = jobs.at_work("sleep", seconds=3.0)

    find_part(part).kill()

    assert jobs.wait(job)["status"] == "completed"


def test_a_job_whose_workers_server_dies_goes_back_into_the_queue_and_finishes(
    jobs: Any, find_part: FindPart
) -> None:
    job, worker = jobs.at_work("sleep", seconds=5.0)

    find_part(RUN_WORKERS).kill()

    ended = jobs.wait(job)
    assert ended["status"] == "completed", ended
    assert not worker.is_running()


def test_a_job_submitted_while_the_workers_server_is_away_waits_for_it(
    jobs: Any, find_part: FindPart
) -> None:
    find_part(RUN_WORKERS).kill()

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
