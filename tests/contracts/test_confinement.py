"""What a process that has confined itself can still do, tried as an attacker would."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from contracts.confinement import landlock_version
from contracts.seccomp import can_refuse_sockets

pytestmark = pytest.mark.skipif(landlock_version() == 0, reason="this kernel has no Landlock")

Try = Callable[..., subprocess.CompletedProcess[str]]

PROGRAM = """
import os, socket, sys
from pathlib import Path
from contracts.confinement import confine

folder = Path(sys.argv[1])
confine([folder / "given.txt", folder / "library"])
{attack}
"""


@pytest.fixture
def attempt(tmp_path: Path) -> Try:
    """Runs Python code in a confined process, which is given one file and one folder to read."""
    (tmp_path / "given.txt").write_text("given")
    (tmp_path / "other.txt").write_text("other")
    (tmp_path / "library").mkdir()
    (tmp_path / "library" / "part.txt").write_text("part")

    def attempt(attack: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", PROGRAM.format(attack=attack), str(tmp_path)],
            capture_output=True,
            text=True,
            check=False,
        )

    return attempt


@pytest.mark.parametrize("name", ["given.txt", "library/part.txt"])
def test_what_is_given_can_be_read(attempt: Try, name: str) -> None:
    done = attempt(f"print((folder / {name!r}).read_text())")

    assert done.stdout.strip() == Path(name).stem


@pytest.mark.parametrize(
    "attack",
    [
        "(folder / 'other.txt').read_text()",
        "Path('/etc/passwd').read_text()",
        "Path('/proc/1/environ').read_bytes()",
        "Path(f'/proc/{os.getppid()}/environ').read_bytes()",
        "list(folder.iterdir())",
        "(folder / 'given.txt').write_text('overwritten')",
        "(folder / 'new.txt').write_text('new')",
        "(folder / 'given.txt').unlink()",
        "(folder / 'given.txt').rename(folder / 'moved.txt')",
        "(folder / 'link').symlink_to('/etc/passwd')",
        "os.execv('/bin/sh', ['sh', '-c', 'true'])",
        "socket.create_connection(('127.0.0.1', 80), timeout=5)",
        "socket.socket().bind(('127.0.0.1', 0))",
    ],
)
def test_nothing_else_can_be_reached(attempt: Try, attack: str) -> None:
    done = attempt(attack)

    assert done.returncode == 1
    assert "PermissionError" in done.stderr


def test_no_socket_can_be_made(attempt: Try) -> None:
    if not can_refuse_sockets():
        pytest.skip("no seccomp filter for this kernel or processor")

    done = attempt("socket.socket(socket.AF_UNIX)")

    assert "PermissionError" in done.stderr


def test_no_process_outside_can_be_signalled(attempt: Try) -> None:
    if landlock_version() < 6:
        pytest.skip("this kernel's Landlock does not scope signals")

    done = attempt("os.kill(os.getppid(), 0)")

    assert "PermissionError" in done.stderr
