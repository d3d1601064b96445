"""One stack per home: a lock that the kernel releases whatever happens to its holder."""

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

from api.stack.errors import StackError

_FILE = "stack.lock"
#: Who only looks holds the lock for a moment, too.
_PATIENCE_SECONDS = 0.3
_POLL_SECONDS = 0.02


@dataclass(frozen=True)
class RunningStack:
    """Where a stack that runs in a home can be reached."""

    pid: int
    url: str


@contextmanager
def hold_home(run: Path, stack: RunningStack) -> Iterator[bool]:
    """Holds the home whose folder of running things is `run`; yields whether the last stack there
    was killed, so that its parts may be ending just now. Raises StackError if the home is held.
    """
    killed = (run / _FILE).exists()
    with _locked(run / _FILE) as file:
        if file is None:
            running = _read(run / _FILE)
            where = f"process {running.pid}, {running.url}" if running else "it is just starting"
            raise StackError(
                f"Framegate runs in this home already: {where}.",
                hint="Stop it, or choose another home with --home.",
            )
        file.write(json.dumps(asdict(stack)))
        file.flush()
        try:
            yield killed
        finally:
            (run / _FILE).unlink()  # still held: nobody else can have put theirs there


def find_running(run: Path) -> RunningStack | None:
    """The stack that runs in a home, if one does."""
    path = run / _FILE
    if not path.exists():
        return None
    with _locked(path) as file:
        return _read(path) if file is None else None


@contextmanager
def _locked(path: Path) -> Iterator[IO[str] | None]:
    """The file at `path`, locked and empty; None if somebody else holds it."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        with path.open("a+") as file:
            if _try_lock(file) and _is_at(file, path):
                file.truncate(0)
                yield file
                return
        if time.monotonic() > deadline:
            yield None
            return
        time.sleep(_POLL_SECONDS)


def _try_lock(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_at(file: IO[str], path: Path) -> bool:
    """Whether the file was not removed by its last holder between opening and locking it."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False


def _read(path: Path) -> RunningStack | None:
    """None while its holder has not written yet, or has just removed it."""
    try:
        return RunningStack(**json.loads(path.read_text()))
    except (OSError, ValueError, TypeError):
        return None
