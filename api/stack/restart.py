"""Whether a part that ended by itself is started again, and after how long."""

from collections.abc import Sequence

WINDOW_SECONDS = 60.0
DELAYS_SECONDS = (0.2, 1.0, 3.0)


def restart_delay(exits: Sequence[float], *, was_ready: bool) -> float | None:
    """The seconds to wait before the next start; None to give the stack up.

    Args:
        exits: when the part ended by itself, in seconds of one clock, the last one included.
        was_ready: whether it was ever ready. A part that never was will not be next time: what is
            wrong (a broken definition, a bad setting) was wrong before it started.
    """
    if not was_ready:
        return None
    recent = recent_exits(exits)
    return DELAYS_SECONDS[recent - 1] if recent <= len(DELAYS_SECONDS) else None


def recent_exits(exits: Sequence[float]) -> int:
    """How many of them lie within the window that ends with the last."""
    return sum(exits[-1] - WINDOW_SECONDS < moment for moment in exits)
