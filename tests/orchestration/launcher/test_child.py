"""What a forked process does first, and how it ends. Most tests do so in a process of its own."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from orchestration.launcher.child import in_child

_RUN = """
import os, sys
from pathlib import Path
from orchestration.launcher.child import become_run
if os.fork() == 0:
    become_run(Path(sys.argv[1]), None)
    os.write(1, b"printed\\n")
    os.write(2, b"complained\\n")
    os._exit(0)
os.wait()
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "job"


def _run(log: Path) -> tuple[str, str]:
    """What a run prints that ends up with the server that forked it."""
    server = subprocess.run(
        [sys.executable, "-c", _RUN, str(log)],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return server.stdout, server.stderr


def test_a_run_prints_into_its_own_log(folder: Path) -> None:
    assert _run(folder / "worker.log") == ("", "")

    assert (folder / "worker.log").read_text() == "printed\ncomplained\n"


def test_where_no_log_can_be_kept_the_server_says_so_and_the_run_prints_nowhere(
    folder: Path,
) -> None:
    folder.write_text("a file where the job's folder should be")

    output, errors = _run(folder / "worker.log")

    assert output == ""
    assert "no log of the run can be kept" in errors
    assert "complained" not in errors


def _exit_code(pid: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def test_work_that_fails_in_a_child_shows_in_its_exit_code() -> None:
    def fail() -> None:
        raise ConnectionError("the database is away")

    assert _exit_code(in_child(fail)) == 1
    assert _exit_code(in_child(lambda: None)) == 0


def test_a_child_does_not_keep_the_servers_sockets() -> None:
    server, client = socket.socketpair()

    def look() -> None:
        with pytest.raises(OSError, match="Bad file descriptor"):
            server.getpeername()

    assert _exit_code(in_child(look, [server])) == 0
    server.close()
    client.close()
