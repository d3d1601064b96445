"""The lock that a run enters and leaves the queue under."""

import threading
from pathlib import Path

import pytest

from contracts.home import Home
from orchestration.launcher.paths import queue_lock
from orchestration.launcher.queue import locked_queue

SECONDS = 60.0


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def test_who_waits_for_a_lock_that_is_removed_holds_the_one_that_others_see(home: Home) -> None:
    """Else two would hold the lock at once, each another file."""
    waits, holds, seen = threading.Event(), threading.Event(), []

    def wait() -> None:
        waits.set()
        with locked_queue(home):
            seen.append(queue_lock(home).exists())
            holds.set()

    with locked_queue(home):
        waiting = threading.Thread(target=wait)
        waiting.start()
        assert waits.wait(SECONDS)
        assert not holds.wait(0.2)
        queue_lock(home).unlink()
    waiting.join(SECONDS)

    assert seen == [True]
