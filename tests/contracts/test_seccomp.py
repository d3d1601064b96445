"""What a process that refused itself sockets can still do, tried as an attacker would."""

import errno
import platform
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from contracts.seccomp import can_refuse_sockets

pytestmark = pytest.mark.skipif(
    not can_refuse_sockets(), reason="no seccomp filter for this kernel or processor"
)

Try = Callable[[str], subprocess.CompletedProcess[str]]

#: Missing rights, and filters of containers, answer with EPERM instead.
REFUSED = f"PermissionError: [Errno {errno.EACCES}]"

PROGRAM = """
import ctypes, os, socket, subprocess, sys, threading
from contracts.seccomp import can_refuse_sockets, refuse_sockets

libc = ctypes.CDLL(None, use_errno=True)
libc.prctl(38, 1, 0, 0, 0)  # no new privileges

def call(number, *arguments):
    if libc.syscall(number, *arguments) < 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))

refuse_sockets()
{attack}
print("done")
"""

ASK = """
import socket
from contracts.seccomp import can_refuse_sockets

print(can_refuse_sockets(), can_refuse_sockets())
socket.socket()
"""


@pytest.fixture
def attempt() -> Try:
    """Runs Python code in a process that has given up sockets."""

    def attempt(attack: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", PROGRAM.format(attack=attack)],
            capture_output=True,
            text=True,
            check=False,
        )

    return attempt


@pytest.mark.parametrize(
    "attack",
    [
        "socket.socket(socket.AF_INET, socket.SOCK_STREAM)",
        "socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)",
        "socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)",
        "socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)",
        "socket.socketpair()",
        "call(425, 1, bytes(120))",  # io_uring_setup
    ],
)
def test_no_socket_can_be_made(attempt: Try, attack: str) -> None:
    done = attempt(attack)

    assert REFUSED in done.stderr


@pytest.mark.skipif(platform.machine() != "x86_64", reason="x86-64 alone has the calls of x32")
def test_the_same_calls_of_another_width_are_refused(attempt: Try) -> None:
    done = attempt("call(0x40000000 + 41, 2, 1, 0)")

    assert REFUSED in done.stderr


@pytest.mark.parametrize(
    "start",
    [
        "subprocess.run([sys.executable, '-c', 'import socket; socket.socket()'], check=True)",
        "refuse_sockets(); socket.socket()",
    ],
)
def test_nothing_gives_sockets_back(attempt: Try, start: str) -> None:
    done = attempt(start)

    assert REFUSED in done.stderr


def test_a_thread_started_later_has_none_either(attempt: Try) -> None:
    done = attempt("t = threading.Thread(target=socket.socket); t.start(); t.join()")

    assert REFUSED in done.stderr


def test_everything_else_works_as_before(attempt: Try, tmp_path: Path) -> None:
    done = attempt(f"os.pipe(); open({str(tmp_path / 'file')!r}, 'w').write('text'); os.listdir()")

    assert done.stdout == "done\n"


def test_asking_whether_it_can_be_done_changes_nothing() -> None:
    done = subprocess.run([sys.executable, "-c", ASK], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout) == (0, "True True\n")
