"""Says what must not be lost, however long the database is away."""

import logging
import time
from collections.abc import Callable
from typing import TypeVar

logger = logging.getLogger("framegate.workers")

_FIRST_PAUSE_SECONDS = 1.0
_LONGEST_PAUSE_SECONDS = 30.0

Said = TypeVar("Said")


def insist(say: Callable[[], Said], pause: Callable[[float], None] = time.sleep) -> Said:
    """Tries again until it has been said; pauses in between, longer each time."""
    seconds = _FIRST_PAUSE_SECONDS
    while True:
        try:
            return say()
        except Exception:
            logger.exception("how a run ended cannot be told yet")
        pause(seconds)
        seconds = min(2 * seconds, _LONGEST_PAUSE_SECONDS)
