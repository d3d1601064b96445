"""Cancelling at every moment: in the queue, at the start, in the middle, at the very end."""

import random
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

ROUNDS = 200
AT_ONCE = 4
#: The seed is fixed, so that a round that fails can be repeated.
MOMENTS = random.Random(20261123)  # noqa: S311 - not for secrets


def test_a_job_cancelled_in_the_queue_never_starts(jobs: Any) -> None:
    busy = [jobs.at_work("sleep")[0] for _ in range(8)]
    queued = jobs.submit("finish")
    assert jobs.get(queued)["queue_position"] == 1

    assert jobs.cancel(queued)["status"] == "CANCELLED"

    assert jobs.get(queued)["started_at"] is None
    for job in busy:
        jobs.cancel(job)


def test_a_second_cancellation_answers_the_same(jobs: Any) -> None:
    job, _ = jobs.at_work("sleep")

    first = jobs.cancel(job)

    assert jobs.cancel(job) == first


def test_many_cancellations_at_once_answer_the_same(jobs: Any) -> None:
    job, _ = jobs.at_work("sleep")

    with ThreadPoolExecutor(100) as pool:
        answers = list(pool.map(jobs.cancel, [job] * 100))

    assert {answer["status"] for answer in answers} == {"CANCELLED"}


def test_a_finished_job_stays_finished(jobs: Any) -> None:
    job = jobs.submit("finish")
    jobs.wait(job, {"completed"})

    assert jobs.cancel(job)["status"] == "COMPLETED"
    assert jobs.get(job)["status"] == "completed"


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_cancelled_at_any_moment_a_job_ends_once_and_as_it_was_told(jobs: Any) -> None:
    """Most moments lie within 100 ms of the start or the end of the work."""

    def cancel_after(delay: float) -> None:
        job = jobs.submit("sleep", seconds=0.1)
        time.sleep(delay)
        told = jobs.cancel(job)["status"]
        assert jobs.get(job)["status"] == told.lower()

    delays = [MOMENTS.uniform(0.0, 0.9) for _ in range(ROUNDS)]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(cancel_after, delays))
