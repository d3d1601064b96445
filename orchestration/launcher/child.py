"""What a process does first when it was forked from the fork server."""

import logging
import os
import signal
import socket
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import BinaryIO

from orchestration.launcher.lease import Lease

logger = logging.getLogger("framegate.workers")


def in_child(work: Callable[[], None], closing: Iterable[socket.socket] = ()) -> int:
    """Does the work in a process of its own; returns that process's id.

    `closing` are the server's sockets: else they would stay open when the server has ended, and
    whoever connects would wait for nobody.
    """
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            _forget_signals()
            for file in closing:
                file.close()
            work()
            status = 0
        except BaseException:
            logger.exception("process %s", os.getpid())
        finally:
            os._exit(status)
    return pid


def become_run(log: Path, lease: Lease | None) -> None:
    """Leaves the server's session; prints to the run's own log; sees the leased device alone."""
    _forget_signals()
    os.setsid()
    with _open(log) as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    os.environ["CUDA_VISIBLE_DEVICES"] = (lease and lease.gpu) or ""


def _open(log: Path) -> BinaryIO:
    """Where no log can be kept nothing is printed: the server's log has lines of ours alone."""
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        return log.open("ab")
    except OSError as error:
        logger.warning("no log of the run can be kept", extra={"error": str(error)})
        return Path(os.devnull).open("ab")  # the first op says what is wrong


def _forget_signals() -> None:
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)
