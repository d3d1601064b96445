"""Which id each event gets where one table holds the events of all runs.

With SQLite each run has a log of its own, numbered from one, and some of its events are mirrored in
an index over all runs. What reads "everything after event n" reads the index. So the new ids keep
the order of the index and of each log, whatever the clocks said.
"""

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise


@dataclass(frozen=True)
class Mirrored:
    """An event of the index; `position` in its run's log, from zero, or None if it is not there."""

    id: int
    run_id: str
    position: int | None


@dataclass
class Numbering:
    """The new ids: of a run's events as blocks (position of the first, its id) that count up."""

    of_index: dict[int, int] = field(default_factory=dict)
    only_in_index: set[int] = field(default_factory=set)
    _blocks: dict[str, list[tuple[int, int]]] = field(default_factory=dict)
    _counts: dict[str, int] = field(default_factory=dict)
    _next: int = 1

    def of_run(self, run_id: str) -> Iterator[int]:
        """In the order of the run's log."""
        blocks = self._blocks.get(run_id, [])
        starts = [position for position, _id in blocks] + [self._counts.get(run_id, 0)]
        for (_position, first), (start, end) in zip(blocks, pairwise(starts), strict=True):
            yield from range(first, first + end - start)

    def after(self, index_id: int) -> int:
        """Who had seen the index up to `index_id`, has seen everything up to this new id."""
        return max((new for old, new in self.of_index.items() if old <= index_id), default=0)

    def number_mirrored(self, event: Mirrored) -> None:
        """With it, whatever the run's log holds before it."""
        if event.position is None:
            self.only_in_index.add(event.id)
            self.of_index[event.id] = self._take(1)
            return
        self.number_run(event.run_id, event.position + 1)
        blocks = self._blocks[event.run_id]
        start, first = blocks[bisect_right(blocks, event.position, key=lambda block: block[0]) - 1]
        self.of_index[event.id] = first + event.position - start

    def number_run(self, run_id: str, count: int) -> None:
        """The first `count` events of its log, as far as they have no number yet."""
        numbered = self._counts.get(run_id, 0)
        if count > numbered:
            self._blocks.setdefault(run_id, []).append((numbered, self._take(count - numbered)))
            self._counts[run_id] = count

    def _take(self, count: int) -> int:
        first, self._next = self._next, self._next + count
        return first


def number_events(index: Sequence[Mirrored], counts: Mapping[str, int]) -> Numbering:
    """`index` in its order; `counts` says how many events each run's log holds."""
    numbering = Numbering()
    for event in index:
        numbering.number_mirrored(event)
    for run_id, count in counts.items():
        numbering.number_run(run_id, count)
    return numbering
