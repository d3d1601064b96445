"""Lock files: they count while a process holds them, and the kernel frees them when it ends."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_TRIES = 50
_TRY_SECONDS = 0.01


def lock(path: Path) -> int:
    """A file descriptor that holds the file, here and in everything forked from here.

    Raises BlockingIOError where another process holds it. Who looks at the file locks it for a
    moment, too, so it is tried more than once.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    for _ in range(_TRIES):
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        if _is_locked(file) and is_at(file, path):
            return file
        os.close(file)
        time.sleep(_TRY_SECONDS)
    raise BlockingIOError(f"{path.name} is held by another process")


def locked_files(folder: Path) -> list[Path]:
    """The files in the folder that are held; those that nobody holds are removed."""
    return [path for path in sorted(folder.glob("*.json")) if _is_held(path)]


@contextmanager
def locked_folder(folder: Path) -> Iterator[None]:
    """Between processes and threads: one of them at a time is in the block. Makes the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def is_at(file: int, path: Path) -> bool:
    """Whether the file was not removed between opening and locking it."""
    try:
        return os.path.samestat(os.fstat(file), path.stat())
    except FileNotFoundError:
        return False


def _is_locked(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_held(path: Path) -> bool:
    with suppress(FileNotFoundError), path.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        with suppress(OSError):  # it counts for nothing, whether it goes or not
            path.unlink()
    return False
