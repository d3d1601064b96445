"""Says what must not be lost, however long the database is away."""

import logging
import time
from collections.abc import Callable

logger = logging.getLogger("framegate.workers")

_FIRST_PAUSE_SECONDS = 1.0
_LONGEST_PAUSE_SECONDS = 30.0


def insist(say: Callable[[], None], pause: Callable[[float], None] = time.sleep) -> None:
    """Tries again until it has been said; pauses in between, longer each time."""
    seconds = _FIRST_PAUSE_SECONDS
    while True:
        try:
            say()
        except Exception:
            logger.exception("how a run ended cannot be told yet")
        else:
            return
        pause(seconds)
        seconds = min(2 * seconds, _LONGEST_PAUSE_SECONDS)
