"""Holds one run to its limits of memory and time, for the supervisor that watches it."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from contracts.home import Home
from orchestration.launcher.breach import Breach, memory_breach
from orchestration.launcher.limits import Limits
from orchestration.launcher.memory_limit import MemoryLimits, RunMemory, WatchedMemory
from orchestration.launcher.time_limit import Clock

logger = logging.getLogger("framegate.workers")


@dataclass
class Guard:
    memory: RunMemory
    clock: Clock

    def admit(self, worker: int) -> None:
        """Takes in the run worker, before it does anything."""
        try:
            self.memory.admit(worker)
        except OSError:
            logger.exception("the run is not in its group: its memory is watched")
            self.memory = WatchedMemory(self.memory.limit)

    def look(self) -> Breach | None:
        """What the run has exceeded; memory first, as that is the greater harm."""
        late = self.clock.look()
        return self.memory_breach() or late

    def memory_breach(self) -> Breach | None:
        peak = self.memory.peak_beyond()
        if peak is None:
            return None
        current = self.clock.current
        return memory_breach(self.memory.limit, peak, current.pipeline if current else None)

    def pause(self) -> float:
        """Seconds until the next look."""
        return min(self.memory.pause(), self.clock.pause())


@contextmanager
def guard(
    home: Home, run_id: str, limits: Limits, means: MemoryLimits, grace_seconds: float
) -> Iterator[Guard]:
    """Until the block ends; nothing of the run may be left then."""
    path = home.under_way(run_id)
    path.unlink(missing_ok=True)  # of a worker that was lost with its supervisor
    with means.hold(run_id, limits.memory) as memory:
        try:
            yield Guard(memory, Clock(path, limits.time, grace_seconds))
        finally:
            path.unlink(missing_ok=True)
