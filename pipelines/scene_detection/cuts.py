"""From scores per frame to cuts, and from cuts to scenes."""

from bisect import bisect, insort
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from pipelines.outputs.scenes import Scene

_CERTAIN = 1.0
#: No scene is shorter, whatever the config says: a damaged file may repeat a time.
_SHORTEST_SECONDS = 0.001


@dataclass(frozen=True)
class Cut:
    """`frame` is the last one before the cut; `score` says how sure the network is."""

    frame: int
    score: float


def find_cuts(scores: Sequence[float], threshold: float) -> list[Cut]:
    """One cut per run of frames that score above `threshold`, at the highest of them."""
    runs = groupby(enumerate(scores), key=lambda place: place[1] > threshold)
    peaks = (max(run, key=lambda place: place[1]) for above, run in runs if above)
    return [Cut(frame, score) for frame, score in peaks if frame + 1 < len(scores)]


def to_scenes(
    cuts: Sequence[Cut], times: Sequence[float], end: float, minimum_seconds: float
) -> list[Scene]:
    """The scenes between `cuts`, which together are the whole video; none for no frames.

    Of two cuts that are less than `minimum_seconds` apart, the surer one stands. The first and the
    last scene may be shorter, as no second cut speaks against the one that bounds them.
    `times` are those of all frames, in seconds; `end` is when the last one is no longer shown.
    """
    if not times:
        return []
    ends = [*times, end]
    kept = _far_apart(cuts, ends, minimum_seconds)
    opening = [Cut(-1, _CERTAIN), *kept]
    last_frames = [cut.frame for cut in kept] + [len(times) - 1]
    return [
        Scene(
            frame_start=cut.frame + 1,
            frame_end=last,
            start=ends[cut.frame + 1],
            end=ends[last + 1],
            score=cut.score,
        )
        for cut, last in zip(opening, last_frames, strict=True)
    ]


def _far_apart(cuts: Sequence[Cut], ends: Sequence[float], minimum_seconds: float) -> list[Cut]:
    """The surest first, as long as they keep their distance from each other."""
    least = max(minimum_seconds, _SHORTEST_SECONDS)
    earliest, latest = ends[0] + _SHORTEST_SECONDS, ends[-1] - _SHORTEST_SECONDS
    taken: list[float] = []
    kept = []
    for cut in sorted(cuts, key=lambda cut: -cut.score):
        time = ends[cut.frame + 1]
        place = bisect(taken, time)
        neighbours = taken[max(0, place - 1) : place + 1]
        if any(abs(time - other) < least for other in neighbours):
            continue
        if earliest <= time <= latest:
            insort(taken, time)
            kept.append(cut)
    return sorted(kept, key=lambda cut: cut.frame)
