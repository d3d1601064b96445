"""Gives a process another environment than it was started with."""

import ctypes
import os
from collections.abc import Mapping
from pathlib import Path

#: Of /proc/self/stat, counted from the state: where the first environment begins and ends.
_START, _END = 47, 48


def replace_environment(environment: Mapping[str, str]) -> None:
    """Nothing else is left: neither for children nor in /proc/self/environ, which shows what the
    process was started with.
    """
    os.environ.clear()
    os.environ.update(environment)  # elsewhere in memory
    fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
    start, end = int(fields[_START]), int(fields[_END])
    ctypes.memset(start, 0, end - start)
