"""Linux processes: adopting orphans, dying with the parent, and ending a whole tree for sure."""

import ctypes
import os
import signal
import time
from contextlib import suppress

import psutil

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_SCAN_SECONDS = 0.01


def adopt_orphans() -> None:
    """From now on, a descendant whose parent ends becomes a child of this process.

    So whatever was ever started below it stays findable, in sessions of its own too. See
    PR_SET_CHILD_SUBREAPER in prctl(2).
    """
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def die_with_parent(parent: int) -> None:
    """The kernel kills this process when its parent ends, or now if `parent` is gone already."""
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def descendants() -> list[int]:
    """Process ids of everything below this process that has not ended."""
    return [pid for pid, process in _children() if _is_alive(process)]


def kill_descendants() -> None:
    """SIGKILL to everything below this process."""
    for pid in descendants():
        send_signal(pid, signal.SIGKILL)


def end_descendants(timeout: float) -> list[int]:
    """Kills and reaps everything below this process; returns what would not die in `timeout` s.

    The tree is read again until it is empty, since it may grow while it is killed.
    """
    deadline = time.monotonic() + timeout
    while alive := descendants():
        if time.monotonic() > deadline:
            return alive
        kill_descendants()
        reap()
        time.sleep(_SCAN_SECONDS)
    reap()
    return []


def send_signal(pid: int, number: signal.Signals) -> None:
    """Signals a process below this one; by pidfd, so that a reused process id is never hit.

    One that this user may not signal is left: it shows as what could not be ended.
    """
    with suppress(ProcessLookupError, PermissionError):
        pidfd = os.pidfd_open(pid)
        try:
            if pid in dict(_children()):
                signal.pidfd_send_signal(pidfd, number)
        finally:
            os.close(pidfd)


def reap() -> dict[int, int]:
    """Wait statuses of the children that have ended, by process id."""
    ended: dict[int, int] = {}
    with suppress(ChildProcessError):
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                break
            ended[pid] = status
    return ended


def _children() -> list[tuple[int, psutil.Process]]:
    return [(process.pid, process) for process in psutil.Process().children(recursive=True)]


def _is_alive(process: psutil.Process) -> bool:
    with suppress(psutil.NoSuchProcess):
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    return False


def _prctl(option: int, value: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(option, value, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl failed")
