"""A run prints into its own log, or nowhere. Each test does so in a process of its own."""

import subprocess
import sys
from pathlib import Path

import pytest

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
