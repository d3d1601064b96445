"""Runs one of Dagster's own programs as it is, but for how often its processes look after each
other: every second, which is most of what an idle stack does.

    python -m orchestration.slower_polling dagster code-server start …
"""

import runpy
import sys

from orchestration.dagster_internals.heartbeats import set_heartbeats

_SECONDS = 5
#: That a code server is away is told after fifteen seconds at most; Dagster would after eleven.
_TRIES = 2


def poll_less_often() -> None:
    """Daemon and webserver ask the code server whether it was replaced, and it tells the process
    that holds the code to go on, which would end after 30 s of silence.
    """
    set_heartbeats(_SECONDS, _TRIES)


if __name__ == "__main__":
    poll_less_often()
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
