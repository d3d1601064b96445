"""The job itself: says when it began and where, with torch imported; then behaves as told.

As a script: `python -m framegate_trivial.work BEHAVIOUR MARK`.
"""

import os
import signal
import sys
import time
from pathlib import Path

import torch

_SECONDS = 600.0


def work(behaviour: str, mark: Path) -> None:
    """Writes the time, its process id and its parent's into `mark`, whole.

    `finish` ends at once; `listen` sleeps and can be interrupted; `swallow` cannot.
    """
    begun = time.time()
    fresh = mark.with_suffix(".new")
    fresh.write_text(f"{begun} {os.getpid()} {os.getppid()} {torch.__version__}")
    if behaviour == "swallow":
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
    fresh.rename(mark)
    end = time.monotonic() + (0.0 if behaviour == "finish" else _SECONDS)
    while time.monotonic() < end:
        try:
            time.sleep(0.1)
        except BaseException:
            if behaviour != "swallow":
                raise


if __name__ == "__main__":
    work(sys.argv[1], Path(sys.argv[2]))
