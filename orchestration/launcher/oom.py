"""Whether the kernel has just killed processes for want of memory."""

import time
from dataclasses import dataclass, field
from pathlib import Path

#: How often a `RecentKills` is to look.
_LOOK_SECONDS = 5.0

_COUNTERS = Path("/proc/vmstat")


@dataclass
class RecentKills:
    """Counts kills on the whole machine, by cgroup limits too, while somebody looks regularly.

    What was killed long before a worker ended was not that worker. See proc_vmstat(5).
    """

    counters: Path = _COUNTERS
    _last: int = field(default=0, init=False)
    _last_but_one: int = field(default=0, init=False)
    _looked_at: float = field(default_factory=time.monotonic, init=False)

    def __post_init__(self) -> None:
        self._last = self._last_but_one = _oom_kills(self.counters)

    def look_when_due(self) -> None:
        if time.monotonic() - self._looked_at >= _LOOK_SECONDS:
            self.look()

    def look(self) -> None:
        self._looked_at = time.monotonic()
        self._last_but_one, self._last = self._last, _oom_kills(self.counters)

    def count(self) -> int:
        """Kills since the last look but one; a process may take a while to die of one."""
        return _oom_kills(self.counters) - self._last_but_one


def _oom_kills(counters: Path) -> int:
    """Since the machine was started; 0 where the kernel does not count them."""
    try:
        lines = counters.read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("oom_kill ")), 0)
