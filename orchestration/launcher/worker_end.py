"""What a worker's end means: pure decisions, applied by the supervisor."""

import os
import signal
from dataclasses import dataclass
from enum import Enum, auto

from contracts.run import Failure
from orchestration.launcher.breach import Breach


class Order(Enum):
    """What the supervisor was told to do with its worker."""

    NONE = auto()
    CANCEL = auto()
    #: The run has exceeded one of its limits.
    LIMIT = auto()
    #: The stack stops: the run goes back into the queue.
    REQUEUE = auto()


class Resolution(Enum):
    """How the run goes on from here."""

    AS_REPORTED = auto()
    CANCELED = auto()
    REQUEUED = auto()
    FAILED = auto()


@dataclass(frozen=True)
class WorkerEnd:
    """How a worker process ended.

    `reported` is whether it handed over how the run ended; `oom_kills` is how many processes the
    kernel killed for want of memory just before; `reason` is why the worker could not go on, if it
    said so; `breach` is the limit that the run exceeded.
    """

    wait_status: int
    reported: bool
    oom_kills: int = 0
    reason: str = ""
    breach: Breach | None = None


def decide(order: Order, end: WorkerEnd) -> Resolution:
    """A cancellation wins over everything that happened after it was accepted, and so does a
    limit that was exceeded.
    """
    if order is Order.CANCEL:
        return Resolution.CANCELED
    if order is Order.LIMIT:
        return Resolution.FAILED
    if end.reported:
        return Resolution.AS_REPORTED
    return Resolution.REQUEUED if order is Order.REQUEUE else Resolution.FAILED


def failure_of(end: WorkerEnd) -> Failure:
    """Why a worker ended without having said how the run ended, or without having been heard."""
    if end.breach:
        return end.breach.failure
    if not os.WIFSIGNALED(end.wait_status):
        code = os.waitstatus_to_exitcode(end.wait_status)
        why = f": {end.reason}" if end.reason else "."
        return Failure(
            "WORKER_LOST",
            f"The run worker ended by itself with exit code {code}{why}",
            "A library may have called exit: see the run's stderr in the Dagster UI.",
        )
    number = signal.Signals(os.WTERMSIG(end.wait_status))
    if number is signal.SIGKILL and end.oom_kills:
        return Failure(
            "HOST_OUT_OF_MEMORY",
            "The kernel killed the run worker because the machine's memory ran out.",
            "Run fewer jobs at once, or choose a smaller batch size or picture size.",
        )
    return Failure(
        "WORKER_KILLED",
        f"The run worker was killed by {number.name}.",
        "A crash in native code, or a signal from outside: see the run's stderr in the Dagster UI.",
    )
