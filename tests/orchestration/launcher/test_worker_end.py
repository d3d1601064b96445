import os
import signal

import pytest

from orchestration.launcher.breach import memory_breach
from orchestration.launcher.worker_end import Order, Resolution, WorkerEnd, decide, failure_of

ENDED_WELL = WorkerEnd(wait_status=0, reported=True)
KILLED = WorkerEnd(wait_status=signal.SIGKILL, reported=False)


@pytest.mark.parametrize(
    ("order", "end", "verdict"),
    [
        (Order.NONE, ENDED_WELL, Resolution.AS_REPORTED),
        (Order.NONE, KILLED, Resolution.FAILED),
        (Order.CANCEL, ENDED_WELL, Resolution.CANCELED),
        (Order.CANCEL, KILLED, Resolution.CANCELED),
        (Order.LIMIT, ENDED_WELL, Resolution.FAILED),
        (Order.LIMIT, KILLED, Resolution.FAILED),
        (Order.REQUEUE, ENDED_WELL, Resolution.AS_REPORTED),
        (Order.REQUEUE, KILLED, Resolution.REQUEUED),
    ],
)
def test_an_accepted_cancellation_wins_and_finished_work_is_never_done_again(
    order: Order, end: WorkerEnd, verdict: Resolution
) -> None:
    assert decide(order, end) is verdict


def test_a_limit_that_was_exceeded_is_the_reason_whatever_else_is_known() -> None:
    breach = memory_breach(limit=2 * 10**9, peak=3 * 10**9, pipeline="faces")
    end = WorkerEnd(signal.SIGKILL, reported=False, oom_kills=1, breach=breach)

    assert failure_of(end).code == "MEMORY_LIMIT"
    assert "during faces: its limit is 2.00 GB, its peak was 3.00 GB" in failure_of(end).message


def test_a_signal_is_named() -> None:
    failure = failure_of(WorkerEnd(wait_status=signal.SIGSEGV, reported=False))

    assert failure.code == "WORKER_KILLED"
    assert "SIGSEGV" in failure.message


def test_a_kill_while_the_kernel_was_out_of_memory_is_called_that() -> None:
    end = WorkerEnd(wait_status=signal.SIGKILL, reported=False, oom_kills=1)

    assert failure_of(end).code == "HOST_OUT_OF_MEMORY"


def test_a_kill_without_a_want_of_memory_is_a_kill() -> None:
    assert failure_of(KILLED).code == "WORKER_KILLED"


def test_an_exit_is_told_with_its_code() -> None:
    pid = os.fork()
    if pid == 0:
        os._exit(3)
    _pid, status = os.waitpid(pid, 0)

    failure = failure_of(WorkerEnd(wait_status=status, reported=False))

    assert failure.code == "WORKER_LOST"
    assert "exit code 3" in failure.message
