"""Whether the machine's clock was set back: files that are new then seem to be old."""

import time
from dataclasses import dataclass
from pathlib import Path

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_NANOSECONDS = 1_000_000_000
#: Reading two clocks takes a moment.
_TOLERANCE = 1_000_000
#: Of a machine that was started again nobody knows by how much. It keeps time fairly well.
_ACROSS_BOOTS = 3600 * _NANOSECONDS


@dataclass(frozen=True)
class Clock:
    """How far the time of day is ahead of the time since the machine was started, which nobody can
    set; in nanoseconds.
    """

    boot: str
    ahead: int

    @classmethod
    def now(cls) -> "Clock":
        ahead = time.time_ns() - time.clock_gettime_ns(time.CLOCK_BOOTTIME)
        return cls(_BOOT_ID.read_text().strip(), ahead)

    def set_back_since(self, before: "Clock | None") -> int:
        """By how much at most, in nanoseconds."""
        if before is None or before.boot != self.boot:
            return _ACROSS_BOOTS
        lost = before.ahead - self.ahead
        return lost if lost > _TOLERANCE else 0
