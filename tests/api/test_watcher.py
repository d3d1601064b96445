"""What a client hears that was away for long."""

from typing import Any

import pytest

from api.dependencies import Services

pytestmark = pytest.mark.anyio


async def test_whoever_resumes_late_is_told_of_every_job_however_many_the_oldest_first(
    services: Services, dagster: Any
) -> None:
    seen = dagster.add(status="SUCCESS", created_at=1000.0)
    missed = [dagster.add(status="SUCCESS", created_at=2000.0 + n) for n in range(450)]
    events = await services.events.watcher.updated_since(int(seen.created_at * 1_000_000))
    told = [event.job_id for event in events if event.job_id != seen.id]
    assert told == [run.id for run in missed]
