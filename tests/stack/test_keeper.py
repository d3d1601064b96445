"""The keeper beside each part, with real processes."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from contracts.project import PROJECT

Keep = Callable[..., subprocess.Popen[str]]

#: Starts a grandchild in a session of its own, says its process id, and goes on.
_WITH_GRANDCHILD = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"],
                         start_new_session=True)
print(child.pid, flush=True)
"""


@pytest.fixture
def keep() -> Keep:
    def start(script: str, *, grace: float = 5.0) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "api.stack.keeper", str(os.getpid()), str(grace)]
        return subprocess.Popen(
            [*command, sys.executable, "-c", script], cwd=PROJECT, stdout=subprocess.PIPE, text=True
        )

    return start


def read_pid(process: subprocess.Popen[str]) -> psutil.Process:
    assert process.stdout
    return psutil.Process(int(process.stdout.readline()))


def ends_soon(process: psutil.Process) -> bool:
    gone, _alive = psutil.wait_procs([process], timeout=10.0)
    return bool(gone)


def test_the_exit_code_is_the_parts_own(keep: Keep) -> None:
    with keep("import sys; sys.exit(7)") as keeper:
        assert keeper.wait() == 7


def test_a_part_killed_by_a_signal_is_told_as_a_shell_would(keep: Keep) -> None:
    with keep("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)") as keeper:
        assert keeper.wait() == 128 + signal.SIGSEGV


def test_what_a_part_leaves_behind_ends_with_it(keep: Keep) -> None:
    with keep(_WITH_GRANDCHILD) as keeper:
        grandchild = read_pid(keeper)
        keeper.wait()

        assert not grandchild.is_running()


def test_a_stopped_part_leaves_nothing_behind(keep: Keep) -> None:
    with keep(_WITH_GRANDCHILD + "time.sleep(600)") as keeper:
        grandchild = read_pid(keeper)
        keeper.terminate()

        assert keeper.wait() == 128 + signal.SIGTERM
        assert not grandchild.is_running()


def test_a_part_that_does_not_listen_is_killed_after_its_grace(keep: Keep) -> None:
    deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True)\n"
    with keep(deaf + "time.sleep(600)", grace=0.2) as keeper:
        assert keeper.stdout
        keeper.stdout.readline()
        keeper.terminate()

        assert keeper.wait() == 128 + signal.SIGKILL


def test_a_part_dies_with_its_keeper(keep: Keep) -> None:
    with keep("import os, time; print(os.getpid(), flush=True); time.sleep(600)") as keeper:
        part = read_pid(keeper)
        keeper.kill()

        assert ends_soon(part)


def test_everything_ends_when_the_stack_is_killed(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    part = f"import os, pathlib, time; pathlib.Path({str(pids)!r}).write_text(str(os.getpid()));"
    stack = (
        "import os, subprocess, sys, time\n"
        "subprocess.Popen([sys.executable, '-m', 'api.stack.keeper', str(os.getpid()), '5', "
        f"sys.executable, '-c', {part + ' time.sleep(600)'!r}])\n"
        "time.sleep(600)"
    )
    with subprocess.Popen([sys.executable, "-c", stack], cwd=PROJECT) as process:
        while not (pids.exists() and pids.read_text()):
            time.sleep(0.02)
        kept = psutil.Process(int(pids.read_text()))
        process.kill()

    assert ends_soon(kept)
