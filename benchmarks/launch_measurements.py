"""The measurements of launch.py: each asks a running stack for the same thing."""

import os
import select
import signal
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from benchmarks.peers.stack import Stack, State, read_mark, wait_until

_LOOK_SECONDS = 0.02
_FINISH_SECONDS = 300.0
#: After its first line a job is well under way.
_AT_WORK_SECONDS = 0.5


@dataclass(frozen=True)
class Start:
    """From the submission of one job: to the answer, to the first line of user code.

    `moments` are what the stack itself wrote down, counted from the submission too.
    """

    answer: float
    first_line: float
    moments: Mapping[str, float]


@dataclass(frozen=True)
class Cancellation:
    """Seconds until the job's processes were gone, and until the stack called it cancelled.

    None is for what did not happen in time.
    """

    gone: float | None
    cancelled: float | None


def measure_starts(stack: Stack, folder: Path, rounds: int) -> list[Start]:
    """One job after the other, each on an idle stack; the first is not counted."""
    return [_start(stack, folder) for _ in range(rounds + 1)][1:]


def _start(stack: Stack, folder: Path) -> Start:
    mark = folder / uuid4().hex
    submitted = time.time()
    job = stack.submit("finish", mark)
    answered = time.time()
    begun = read_mark(mark).begun
    _wait_for(stack, [job])
    moments = {name: at - submitted for name, at in stack.moments(job).items()}
    return Start(answered - submitted, begun - submitted, moments)


def measure_burst(stack: Stack, folder: Path, count: int) -> float:
    """Seconds from submitting `count` jobs at once until all have succeeded."""
    started = time.monotonic()
    with ThreadPoolExecutor(count) as pool:
        marks = [folder / uuid4().hex for _ in range(count)]
        jobs = list(pool.map(lambda mark: stack.submit("finish", mark), marks))
    _wait_for(stack, jobs, look_seconds=0.2)
    return time.monotonic() - started


def measure_cancellation(
    stack: Stack, folder: Path, behaviour: str, seconds: float
) -> Cancellation:
    """Of a job that is at work; what the stack has not ended after `seconds` is killed here."""
    path = folder / uuid4().hex
    job = stack.submit(behaviour, path)
    mark = read_mark(path)
    workers = [os.pidfd_open(pid) for pid in stack.workers(mark)]
    time.sleep(_AT_WORK_SECONDS)
    with ThreadPoolExecutor(1) as pool:
        started = time.monotonic()
        cancelled = pool.submit(_cancel, stack, job, started, seconds)
        gone = _wait_for_end(workers, started, seconds)
        cancellation = Cancellation(gone, cancelled.result())
    for pidfd in workers:
        if gone is None:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(pidfd, signal.SIGKILL)
        os.close(pidfd)
    return cancellation


def measure_kill(stack: Stack, folder: Path, seconds: float) -> float | None:
    """Seconds from killing the processes of a job until the stack says that it failed."""
    path = folder / uuid4().hex
    job = stack.submit("listen", path)
    pids = stack.workers(read_mark(path))
    time.sleep(_AT_WORK_SECONDS)
    started = time.monotonic()
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    while stack.states().get(job) is not State.FAILED:
        if time.monotonic() - started > seconds:
            return None
        time.sleep(_LOOK_SECONDS)
    return time.monotonic() - started


def _cancel(stack: Stack, job: str, started: float, seconds: float) -> float | None:
    """Seconds since `started` when the stack says that the job is cancelled."""
    state = stack.cancel(job)
    while state is not State.CANCELLED:
        if time.monotonic() - started > seconds:
            return None
        time.sleep(_LOOK_SECONDS)
        state = stack.states().get(job, State.UNFINISHED)
    return time.monotonic() - started


def _wait_for_end(pidfds: Sequence[int], started: float, seconds: float) -> float | None:
    """Seconds since `started` when the last of the processes ended; see pidfd_open(2)."""
    for pidfd in pidfds:
        left = max(0.0, started + seconds - time.monotonic())
        if not select.select([pidfd], [], [], left)[0]:
            return None
    return time.monotonic() - started


def _wait_for(stack: Stack, jobs: Sequence[str], look_seconds: float = _LOOK_SECONDS) -> None:
    """Until all have succeeded; raises RuntimeError for one that ended otherwise."""

    def all_succeeded() -> bool:
        states = stack.states()
        seen = [states.get(job, State.UNFINISHED) for job in jobs]
        if State.FAILED in seen or State.CANCELLED in seen:
            raise RuntimeError(f"{stack.name}: a job did not succeed: {seen}")
        time.sleep(look_seconds)
        return all(state is State.SUCCEEDED for state in seen)

    wait_until(all_succeeded, _FINISH_SECONDS, f"{len(jobs)} job(s) on {stack.name}")
