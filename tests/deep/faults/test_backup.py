"""A backup taken while jobs wait and run becomes a stack that loses none of them."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import psutil
import pytest

from api.cli.stack_process import StackProcess
from api.stack.events import StackReady
from contracts.home import Home
from orchestration.launcher.queue_locks import locked_queue
from tests.postgresql import BINARIES

_SECONDS = 120
_STOP_SECONDS = 60

Framegate = Callable[..., None]


@pytest.fixture(scope="module")
def framegate(
    bare_environment: Mapping[str, str], database_of: Callable[[Path], Mapping[str, str]]
) -> Framegate:
    """The command, for a home."""

    def run(home: Path, *arguments: str) -> None:
        programs = {"PATH": f"{BINARIES}{os.pathsep}{os.environ['PATH']}"}
        subprocess.run(
            [sys.executable, "-m", "api.cli", *arguments, "--home", str(home)],
            env={**bare_environment, **database_of(home), **programs},
            check=True,
            timeout=_SECONDS,
        )

    return run


@pytest.fixture
def at_backup(jobs: Any, framegate: Framegate, tmp_path: Path) -> SimpleNamespace:
    """What was there when the backup was taken: a job that was done, one under way, one queued."""
    done = jobs.submit("finish")
    jobs.wait(done)
    end = tmp_path / "end"
    under_way, _worker = jobs.at_work("sleep", seconds=600, until=str(end))
    try:
        with locked_queue(jobs.home):
            queued = jobs.submit("finish")
            framegate(jobs.home.root, "backup", str(tmp_path / "backup"))
            assert jobs.get(queued)["status"] == "pending"
    finally:
        end.touch()
    return SimpleNamespace(done=done, under_way=under_way, queued=queued)


@pytest.fixture
def restored(
    at_backup: SimpleNamespace, framegate: Framegate, start_up: Any, tmp_path: Path
) -> Iterator[tuple[SimpleNamespace, StackReady]]:
    """A stack of the backup, in another home and at other ports."""
    home = tmp_path / "restored"
    framegate(home, "restore", str(tmp_path / "backup"))
    with start_up(home) as process:
        try:
            yield at_backup, StackProcess(process.stdout or ()).until_ready(lambda _event: None)
        finally:
            tree = psutil.Process(process.pid).children(recursive=True)
            process.terminate()
            process.communicate(timeout=_STOP_SECONDS)
    assert [child for child in tree if child.is_running()] == []


def test_a_restored_stack_goes_on_where_the_backup_was_taken(
    restored: tuple[SimpleNamespace, StackReady],
    make_jobs: Callable[..., Any],
    admin_key: str,
    media: str,
) -> None:
    """The promise of `make_jobs` holds for each of them: it ends once, and has its results."""
    there, stack = restored
    everything = [there.done, there.under_way, there.queued]
    with (
        httpx.Client(
            base_url=stack.url, headers={"X-API-Key": admin_key}, timeout=30.0, trust_env=False
        ) as client,
        make_jobs(client, Home(Path(stack.home)), media) as jobs,
    ):
        jobs.accepted.extend(everything)
        listed = client.get("/api/v1/jobs", params={"per_page": 100}).json()["jobs"]
        assert set(everything) <= {job["id"] for job in listed}
        assert {jobs.wait(job)["status"] for job in everything} == {"completed"}
        for job in everything:
            archive = client.get(f"/api/v1/jobs/{job}/results")
            assert archive.status_code == 200, archive.text
