"""How long each pipeline of a run may take: the op tells what it begins, the supervisor counts."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from orchestration.annotation.under_way import UnderWay, read_under_way
from orchestration.launcher.breach import Breach, time_breach
from pipelines.registry.spec import TimeLimit

_PAUSE_SECONDS = 1.0


@dataclass
class Clock:
    """Counts the time of a run's pipelines, each against its own limit."""

    path: Path
    limits: Mapping[str, TimeLimit]
    grace_seconds: float
    now: Callable[[], float] = time.monotonic
    current: UnderWay | None = field(default=None, init=False)
    _begun: float = field(default=0.0, init=False)

    def look(self) -> Breach | None:
        """The time of a pipeline that has just begun starts here."""
        found = read_under_way(self.path)
        if found != self.current:
            self.current, self._begun = found, self.now()
        if found is None or (left := self._left()) is None or left > 0:
            return None
        seconds = self.limits[found.pipeline].seconds(found.media_seconds)
        return time_breach(found.pipeline, seconds, found.media_seconds, self.grace_seconds)

    def pause(self) -> float:
        """Seconds until it should be looked at again."""
        left = self._left()
        return _PAUSE_SECONDS if left is None else min(max(0.0, left), _PAUSE_SECONDS)

    def _left(self) -> float | None:
        """Seconds that the pipeline under way still has; None without a limit."""
        if self.current is None or (limit := self.limits.get(self.current.pipeline)) is None:
            return None
        return self._begun + limit.seconds(self.current.media_seconds) - self.now()
