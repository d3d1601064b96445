"""Jobs cancelled at two hundred moments: at the start, in the middle, at the end."""

import random
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

ROUNDS = 200
AT_ONCE = 4
#: The seed is fixed, so that a round that fails can be repeated.
DICE = random.Random(20261123)  # noqa: S311 - not for secrets
MOMENTS = [DICE.random() for _ in range(ROUNDS)]


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_cancelled_at_any_moment_a_job_ends_once_and_as_it_was_told(
    jobs: Any, tmp_path: Path
) -> None:
    """In the queue and at the start, and from the end of the work until all of it is published,
    which takes as long as it took the first time.
    """
    until_published = _end_work(jobs, tmp_path / "first", jobs.wait)

    def cancel(job: str) -> str:
        told = str(jobs.cancel(job)["status"])
        assert jobs.get(job)["status"] == told.lower()
        return told

    def cancel_early(number: int) -> str:
        job = jobs.submit("sleep", seconds=5.0)
        time.sleep(MOMENTS[number] * until_published)
        return f"{cancel(job)} early"

    def cancel_late(number: int) -> str:
        told: list[str] = []

        def soon(job: str) -> None:
            time.sleep(1.5 * MOMENTS[number] * until_published)
            told.append(cancel(job))

        _end_work(jobs, tmp_path / str(number), soon)
        return f"{told[0]} late"

    with ThreadPoolExecutor(AT_ONCE) as pool:
        early = pool.map(cancel_early, range(ROUNDS // 3))
        late = pool.map(cancel_late, range(ROUNDS // 3, ROUNDS))
        outcomes = Counter([*early, *late])

    assert {"CANCELLED early", "CANCELLED late", "COMPLETED late"} <= outcomes.keys(), outcomes


def _end_work(jobs: Any, end: Path, then: Callable[[str], Any]) -> float:
    """Ends the work of a job, and gives the seconds that it took to do something then."""
    job, _ = jobs.at_work("sleep", until=str(end))
    end.touch()
    ended = time.monotonic()
    then(job)
    return time.monotonic() - ended
