"""What is imported before any fork, in an interpreter of its own."""

import subprocess
import sys

import pytest

_PRELOAD = """
import os
from orchestration.launcher.preload import preload
preload("orchestration.definitions")
print(len(os.listdir("/proc/self/task")))
"""


@pytest.mark.slow
def test_the_server_has_a_single_thread_when_it_has_loaded_everything() -> None:
    """A thread does not survive a fork, but what it had locked does."""
    loaded = subprocess.run(
        [sys.executable, "-c", _PRELOAD], capture_output=True, text=True, check=True, timeout=280
    )

    assert loaded.stdout.split()[-1] == "1"
