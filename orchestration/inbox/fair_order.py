"""The order in which due files are taken in: new ones first, then the longest unvisited.

Kept in memory alone: after a restart every file is new once more.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest
from typing import TypeAlias

from orchestration.inbox.entry import ChangeTime, Entry

File: TypeAlias = tuple[str, ChangeTime]

#: In seconds. At first a file is looked at whenever there is time.
_FIRST = 60.0
_LONGEST_PAUSE = 900.0


@dataclass(frozen=True)
class Visits:
    """When a file was looked at first, and last; in seconds of the monotonic clock."""

    first: float
    last: float

    def is_due(self, now: float) -> bool:
        """Whether it is time for another look: the longer a file waits, the longer it is left."""
        waited = self.last - self.first
        return waited < _FIRST or now - self.last >= min(waited / 2, _LONGEST_PAUSE)


class FairOrder:
    def __init__(self) -> None:
        self._visits: dict[File, Visits] = {}

    def order(self, due: Mapping[str, Sequence[Entry]], now: float) -> Iterator[tuple[str, Entry]]:
        """`due` has each folder's files, oldest first. One file of each folder, then the next of
        each: no folder waits for another's thousands.
        """
        self._forget_all_but(
            {(name, each.change_time) for name, queue in due.items() for each in queue}
        )
        queues = [
            [(name, entry) for entry in self._in_turn(name, queue, now)]
            for name, queue in due.items()
        ]
        return (each for each in chain.from_iterable(zip_longest(*queues)) if each is not None)

    def note(self, name: str, entry: Entry, now: float) -> None:
        """The file was looked at; should it be due again, others come first."""
        file = (name, entry.change_time)
        before = self._visits.get(file)
        self._visits[file] = Visits(before.first if before else now, now)

    def _in_turn(self, name: str, queue: Iterable[Entry], now: float) -> list[Entry]:
        new, known = [], []
        for entry in queue:
            visits = self._visits.get((name, entry.change_time))
            if visits is None:
                new.append(entry)
            elif visits.is_due(now):
                known.append((visits.last, entry))
        known.sort(key=lambda each: each[0])
        return new + [entry for _last, entry in known]

    def _forget_all_but(self, files: set[File]) -> None:
        for file in self._visits.keys() - files:
            del self._visits[file]
