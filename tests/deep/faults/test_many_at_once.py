"""As many runs at once as are allowed, with clients that poll: no statement fails for a lock."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.stack.events import StackReady

ROUNDS = 3
RUNS_AT_ONCE = 8
POLLED = ("/api/v1/jobs", "/api/v1/jobs?status=running", "/api/v1/system/health")


@pytest.fixture
def polls(stack: StackReady, admin_key: str) -> Iterator[list[int]]:
    """What three clients that never stop asking are answered."""
    statuses: list[int] = []
    over = threading.Event()

    def poll() -> None:
        with httpx.Client(
            base_url=stack.url, headers={"X-API-Key": admin_key}, timeout=60.0, trust_env=False
        ) as client:
            while not over.is_set():
                statuses.extend(client.get(path).status_code for path in POLLED)

    clients = [threading.Thread(target=poll) for _ in POLLED]
    for client in clients:
        client.start()
    yield statuses
    over.set()
    for client in clients:
        client.join()


@pytest.mark.slow
def test_eight_runs_at_once_and_polling_clients_lock_nobody_out(
    jobs: Any, polls: list[int], stack: StackReady
) -> None:
    for _ in range(ROUNDS):
        submitted = [jobs.submit("sleep", seconds=1) for _ in range(2 * RUNS_AT_ONCE)]
        for job in submitted:
            ended = jobs.wait(job)
            assert ended["status"] == "completed", ended

    assert set(polls) == {200}
    home = Path(stack.home)
    logs = [*home.glob("logs/*.log"), *home.glob("jobs/*/worker.log")]
    assert [log for log in logs if "is locked" in log.read_text(errors="replace")] == []
