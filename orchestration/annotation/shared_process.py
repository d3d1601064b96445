"""A run's pipelines share one process: what one of them does to it harms neither the others nor the
run.
"""

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TextIO

from pipelines.errors import PipelineError

_STANDARD_FILES = (0, 1, 2)
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD)


class FilesClosedError(PipelineError):
    """The pipeline closed what was not its own."""


@contextmanager
def only_in_this_process() -> Iterator[None]:
    """A child that the block forked, and let return or raise, ends where the block ends.

    Else there would be two processes that both go on as the run's worker.
    """
    process = os.getpid()
    try:
        yield
    finally:
        if os.getpid() != process:
            os._exit(0)


@contextmanager
def process_restored() -> Iterator[None]:
    """After the block the process is as before: its working directory, umask, environment,
    recursion limit, signal handlers, standard streams; and a child that the block forked has ended.

    Raises FilesClosedError where the block has closed files that it did not open.
    """
    restore = [_directory(), _umask(), _environment(), _recursion_limit(), _signals(), _streams()]
    sentinel = os.memfd_create("framegate")
    identity = _identity(sentinel)
    try:
        with only_in_this_process():
            yield
    finally:
        is_whole = all(_identity(file) for file in _STANDARD_FILES)
        _reopen_standard_files()
        for part in restore:
            part()
        if _identity(sentinel) == identity:
            os.close(sentinel)
        else:
            is_whole = False
    if not is_whole:
        raise FilesClosedError(
            "The pipeline closed files that it had not opened.",
            "Correct the pipeline: it may close only the file descriptors that it opened itself.",
        )


def _identity(file: int) -> tuple[int, int] | None:
    """Which open file the descriptor is of; None for one that is closed."""
    try:
        status = os.fstat(file)
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _reopen_standard_files() -> None:
    for file in _STANDARD_FILES:
        if _identity(file) is None:
            opened = os.open(os.devnull, os.O_RDWR)
            if opened != file:
                os.dup2(opened, file)
                os.close(opened)


def _directory() -> Callable[[], None]:
    before = os.getcwd()  # noqa: PTH109 - what os.chdir gets back

    def restore() -> None:
        with suppress(OSError):  # somebody has removed it
            os.chdir(before)

    return restore


def _umask() -> Callable[[], None]:
    before = os.umask(0o022)
    os.umask(before)

    def restore() -> None:
        os.umask(before)

    return restore


def _environment() -> Callable[[], None]:
    before = dict(os.environ)

    def restore() -> None:
        if dict(os.environ) != before:
            os.environ.clear()
            os.environ.update(before)

    return restore


def _recursion_limit() -> Callable[[], None]:
    before = sys.getrecursionlimit()
    return lambda: sys.setrecursionlimit(before)


def _signals() -> Callable[[], None]:
    """Python allows the main thread alone to set handlers."""
    if threading.current_thread() is not threading.main_thread():
        return lambda: None
    handlers = {number: signal.getsignal(number) for number in _SIGNALS}
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, ())

    def restore() -> None:
        for number, handler in handlers.items():
            if handler is not None and signal.getsignal(number) is not handler:
                signal.signal(number, handler)
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)

    return restore


def _streams() -> Callable[[], None]:
    out, err = sys.stdout, sys.stderr

    def restore() -> None:
        sys.stdout, sys.stderr = _opened(out, 1), _opened(err, 2)

    return restore


def _opened(stream: TextIO, file: int) -> TextIO:
    if stream is None or not stream.closed:
        return stream
    return os.fdopen(file, "w", buffering=1, errors="backslashreplace", closefd=False)
