"""Runs one part of the stack and lets no process of it outlive the part, nor the part the stack.

    python -m api.stack.keeper PARENT_PID GRACE_SECONDS COMMAND…

The kernel hands this process every orphan below it (it is a subreaper), so whatever a part starts,
in a session of its own or not, is still found here when the part ends. And the kernel tells it by
SIGTERM when the stack is gone, even by SIGKILL. Nothing but the standard library is imported
before the part ends: there is one such process beside each part.
"""

import ctypes
import os
import signal
import sys
import time
from contextlib import suppress

# linux/prctl.h
_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36

_POLL_SECONDS = 0.02


class _StopRequestedError(Exception):
    """SIGTERM came: from the stack, or from the kernel because the stack is gone."""


def main(arguments: list[str]) -> int:
    """Returns the part's exit status; 128 plus the number of the signal that ended it."""
    parent, grace, command = int(arguments[0]), float(arguments[1]), arguments[2:]
    signal.signal(signal.SIGTERM, _request_stop)
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)
    part = 0
    try:
        _die_with(parent, signal.SIGTERM)
        part = _start(command)
        status = _wait(part)
    except _StopRequestedError:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        status = _stop(part, grace) if part else 0
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    _end_descendants()
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


def _request_stop(_number: int, _frame: object) -> None:
    raise _StopRequestedError


def _prctl(option: int, value: int) -> None:
    if ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl failed")


def _die_with(parent: int, signal_number: int) -> None:
    """Asks the kernel for the signal when the parent dies; sends it if that was just before."""
    _prctl(_PR_SET_PDEATHSIG, signal_number)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal_number)


def _start(command: list[str]) -> int:
    keeper = os.getpid()
    pid = os.fork()
    if pid == 0:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        _die_with(keeper, signal.SIGKILL)
        os.execvp(command[0], command)  # noqa: S606 - the stack's own table of commands
    return pid


def _wait(part: int) -> int:
    """Reaps orphans until the part itself ends."""
    while True:
        pid, status = os.waitpid(-1, 0)
        if pid == part:
            return status


def _stop(part: int, grace: float) -> int:
    """Asks the part alone to end, since it knows best how to end its own; kills it after grace."""
    os.kill(part, signal.SIGTERM)
    deadline = time.monotonic() + grace
    while time.monotonic() < deadline:
        pid, status = os.waitpid(part, os.WNOHANG)
        if pid == part:
            return status
        time.sleep(_POLL_SECONDS)
    os.kill(part, signal.SIGKILL)
    return os.waitpid(part, 0)[1]


def _end_descendants() -> None:
    import psutil  # noqa: PLC0415 - not before it is needed: this process lives beside each part

    itself = psutil.Process()
    with suppress(ChildProcessError):  # raised when nobody is left
        while True:
            for process in itself.children(recursive=True):
                with suppress(psutil.NoSuchProcess):
                    process.kill()
            os.waitpid(-1, 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
