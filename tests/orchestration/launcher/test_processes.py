"""Most tests work in a process of their own, since adopting orphans cannot be undone."""

import signal
import subprocess
import sys
import textwrap

import psutil
import pytest

from orchestration.launcher.processes import send_signal

_ORPHAN = """
import subprocess
sleeper = subprocess.Popen(["sleep", "60"], start_new_session=True, stdout=subprocess.DEVNULL)
print(sleeper.pid)
"""


def _run(script: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script), _ORPHAN],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=60,
    ).stdout


def test_an_orphan_in_a_session_of_its_own_is_found_and_ended() -> None:
    pid = _run(
        """
        import subprocess, sys
        from orchestration.launcher.processes import adopt_orphans, descendants, end_descendants
        adopt_orphans()
        orphan = int(subprocess.check_output([sys.executable, "-c", sys.argv[1]], text=True))
        assert descendants() == [orphan]
        assert end_descendants(10.0) == []
        print(orphan)
        """
    )

    assert not psutil.pid_exists(int(pid))


def test_a_process_that_is_not_ours_is_never_signalled() -> None:
    sleeper = subprocess.Popen(["sleep", "60"])  # noqa: S607 - any sleep will do

    _run(
        f"""
        import signal
        from orchestration.launcher.processes import send_signal
        send_signal({sleeper.pid}, signal.SIGKILL)
        """
    )

    assert sleeper.poll() is None
    sleeper.kill()
    sleeper.wait()


def test_a_process_dies_with_its_parent() -> None:
    child = _run(
        """
        import os, time
        from orchestration.launcher.processes import die_with_parent
        parent, (reader, writer) = os.getpid(), os.pipe()
        pid = os.fork()
        if pid == 0:
            die_with_parent(parent)
            os.write(writer, b"!")
            time.sleep(60)
        os.read(reader, 1)
        print(pid)
        """
    )

    psutil.wait_procs([psutil.Process(int(child))] if psutil.pid_exists(int(child)) else [], 10)
    assert not psutil.pid_exists(int(child))


def test_a_process_that_may_not_be_signalled_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """As one that runs with another user's rights, after setuid."""

    def refuse(_pidfd: int, _number: int) -> None:
        raise PermissionError

    monkeypatch.setattr(signal, "pidfd_send_signal", refuse)
    with subprocess.Popen(["sleep", "60"]) as sleeper:  # noqa: S607 - any sleep will do
        send_signal(sleeper.pid, signal.SIGKILL)

        assert sleeper.poll() is None
        sleeper.kill()
