"""Locks between the processes that put runs into the queue, cancel them there and launch them.

Dequeuing and cancelling in the queue take one lock, so that a run cancelled there never starts.
Entering the queue has a lock of its own, as launching may take a while: a run enters it once,
whoever submits it and however often.
"""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager

from contracts.home import Home
from contracts.lock_file import is_at, locked_folder
from orchestration.launcher.paths import queue_lock


@contextmanager
def locked_queue(home: Home) -> Iterator[None]:
    """Between processes: while it is held, no run enters or leaves the state QUEUED."""
    path = queue_lock(home)
    path.parent.mkdir(parents=True, exist_ok=True)
    while True:
        with path.open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            if is_at(file.fileno(), path):
                yield
                return


@contextmanager
def locked_entrance(home: Home) -> Iterator[None]:
    """Between processes: while it is held, no run enters the state QUEUED for the first time."""
    with locked_folder(home.run):
        yield


@contextmanager
def queue_lock_removed(home: Home) -> Iterator[None]:
    """When the block ends; by who holds it, so that nobody else can."""
    try:
        yield
    finally:
        with locked_queue(home):
            queue_lock(home).unlink()
