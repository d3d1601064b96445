"""Cancelling in the queue, twice, by many at once, and too late."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any


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
