"""Whether memory and handles of long-lived processes grow, by a slope that ignores spikes."""

import statistics
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

from tests.deep.soak.history import Sample

#: Caches fill and arenas settle first.
WARM_UP_SECONDS = 60.0
#: Shorter than this, a slope says nothing.
SHORTEST_SECONDS = 90.0
_MOST_POINTS = 200
_MEMORY_BYTES = 32 * 2**20
_MEMORY_SHARE = 0.15
_HANDLES = 16
_HANDLES_SHARE = 0.25


@dataclass(frozen=True)
class Growth:
    """What a process gained over `seconds` by its robust slope; `allowed` is the bound."""

    part: str
    pid: int
    what: str
    seconds: float
    median: float
    gained: float
    allowed: float

    @property
    def excess(self) -> bool:
        return self.gained > self.allowed

    def __str__(self) -> str:
        return (
            f"{self.what} of process {self.pid} gained {self.gained:,.0f} in {self.seconds:.0f} s "
            f"(median {self.median:,.0f}, allowed {self.allowed:,.0f})"
        )


def growths(samples: Sequence[Sample]) -> Iterator[Growth]:
    """One for memory and one for handles of each process that lived long enough."""
    lives: dict[tuple[str, int], list[Sample]] = defaultdict(list)
    for sample in samples:
        lives[sample.part, sample.pid].append(sample)
    for (part, pid), life in lives.items():
        warm = [sample for sample in life if sample.at >= life[0].at + WARM_UP_SECONDS]
        if not warm or warm[-1].at - warm[0].at < SHORTEST_SECONDS:
            continue
        seconds = warm[-1].at - warm[0].at
        for what, values, fixed, share in (
            ("memory", [sample.memory for sample in warm], _MEMORY_BYTES, _MEMORY_SHARE),
            ("handles", [sample.handles for sample in warm], _HANDLES, _HANDLES_SHARE),
        ):
            gained = slope([sample.at for sample in warm], values) * seconds
            median = statistics.median(values)
            yield Growth(part, pid, what, seconds, median, gained, fixed + share * median)


def slope(times: Sequence[float], values: Sequence[float]) -> float:
    """Theil and Sen's: the median of the slopes between all pairs of points."""
    step = max(1, len(times) // _MOST_POINTS)
    points = list(zip(times, values, strict=True))[::step]
    slopes = [(b[1] - a[1]) / (b[0] - a[0]) for a, b in combinations(points, 2) if b[0] > a[0]]
    return statistics.median(slopes) if slopes else 0.0
