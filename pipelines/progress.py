"""The one call between chunks of work: reports how far a pipeline is."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field


def _ignore(_fraction: float) -> None:
    """Where nobody watches."""


@dataclass
class Progress:
    """Passes fractions from 0 to 1 on to `write`, forward only and at most every `interval` s.

    Methods:
        report(fraction): how far the pipeline is, from 0 to 1. Call it between chunks of work, as
            often as you like.

    Example:
        >>> progress = Progress(write=print)
        >>> progress.report(0.5)
        0.5
        >>> progress.report(0.25)  # no way back
    """

    write: Callable[[float], None] = _ignore
    interval: float = 0.25
    _fraction: float = field(default=0.0, init=False)
    _written_at: float = field(default=float("-inf"), init=False)

    def report(self, fraction: float) -> None:
        fraction = min(1.0, max(0.0, fraction))
        now = time.monotonic()
        if fraction <= self._fraction or now - self._written_at < self.interval:
            return
        self._fraction, self._written_at = fraction, now
        self.write(fraction)
