"""What every stack can be asked, and how its processes are started and ended."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum, auto
from pathlib import Path
from typing import Protocol

import psutil

PROJECT = Path(__file__).resolve().parents[2]

_STOP_SECONDS = 25


class State(StrEnum):
    UNFINISHED = auto()
    SUCCEEDED = auto()
    FAILED = auto()
    CANCELLED = auto()


@dataclass(frozen=True)
class Mark:
    """What the trivial job wrote: when it began, in which process below which."""

    begun: float
    pid: int
    parent: int


class Stack(Protocol):
    """A stack that runs; `name` is what the tables call it."""

    name: str

    def submit(self, behaviour: str, mark: Path) -> str:
        """Submits the trivial job; returns its id."""

    def states(self) -> Mapping[str, State]:
        """Of all its jobs, by id."""

    def cancel(self, job: str) -> State:
        """Orders it; returns what the answer says of the job, which may not have ended yet."""

    def workers(self, mark: Mark) -> Sequence[int]:
        """The processes that run a job, and that a cancellation has to end."""

    def moments(self, job: str) -> Mapping[str, float]:
        """When the job came how far, as the stack wrote it down; may be empty."""

    def processes(self) -> list[psutil.Process]:
        """All that belong to the stack now."""


def wait_until(condition: Callable[[], bool], seconds: float, what: str) -> None:
    """Raises TimeoutError."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} took more than {seconds:.0f} s")
        time.sleep(0.02)


def read_mark(path: Path, seconds: float = 120.0) -> Mark:
    """The mark once it is there. Raises TimeoutError."""
    wait_until(path.exists, seconds, "the first line of a job")
    begun, pid, parent, _torch = path.read_text().split()
    return Mark(float(begun), int(pid), int(parent))


@contextmanager
def running(
    command: Sequence[str], environment: Mapping[str, str], log: Path
) -> Iterator[subprocess.Popen[str]]:
    """A process with a piped standard output; at the end nothing below it is left."""
    keeper = [sys.executable, "-m", "api.stack.keeper", str(os.getpid()), str(_STOP_SECONDS)]
    with (
        log.open("ab") as errors,
        subprocess.Popen(
            [*keeper, *command],
            cwd=PROJECT,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            start_new_session=True,
        ) as process,
    ):
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            process.communicate()


def below(process: subprocess.Popen[str]) -> list[psutil.Process]:
    return psutil.Process(process.pid).children(recursive=True)


def bare_environment(packages: Path, **more: str) -> dict[str, str]:
    """The environment without settings of whoever measures, and the trivial job importable."""
    prefixes = ("FRAMEGATE_", "DAGSTER_", "RAY_")
    kept = {key: value for key, value in os.environ.items() if not key.startswith(prefixes)}
    return {**kept, "PYTHONPATH": str(packages), **more}
