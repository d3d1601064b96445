"""Which of the files that are due are looked at now: new ones first, then who was not for longest.

Kept in memory alone: after a restart every file is new once more.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest
from typing import TypeAlias

from orchestration.inbox.entry import Entry, Moment

File: TypeAlias = tuple[str, Moment]

#: In seconds. At first a file is looked at whenever there is time.
_FIRST = 60.0
_LONGEST_PAUSE = 900.0


@dataclass(frozen=True)
class Looks:
    """When a file was looked at first, and last; in seconds of the monotonic clock."""

    first: float
    last: float

    def is_over(self, now: float) -> bool:
        """Whether it is time for another look: the longer a file waits, the longer it is left."""
        waited = self.last - self.first
        return waited < _FIRST or now - self.last >= min(waited / 2, _LONGEST_PAUSE)


class Turns:
    def __init__(self) -> None:
        self._looks: dict[File, Looks] = {}

    def order(self, due: Mapping[str, Sequence[Entry]], now: float) -> Iterator[tuple[str, Entry]]:
        """`due` has each folder's files, oldest first. One file of each folder, then the next of
        each: no folder waits for another's thousands.
        """
        self._forget_all_but({(name, each.moment) for name, queue in due.items() for each in queue})
        queues = [
            [(name, entry) for entry in self._in_turn(name, queue, now)]
            for name, queue in due.items()
        ]
        return (each for each in chain.from_iterable(zip_longest(*queues)) if each is not None)

    def note(self, name: str, entry: Entry, now: float) -> None:
        """The file was looked at; should it be due again, others come first."""
        file = (name, entry.moment)
        before = self._looks.get(file)
        self._looks[file] = Looks(before.first if before else now, now)

    def _in_turn(self, name: str, queue: Iterable[Entry], now: float) -> list[Entry]:
        new, known = [], []
        for entry in queue:
            looks = self._looks.get((name, entry.moment))
            if looks is None:
                new.append(entry)
            elif looks.is_over(now):
                known.append((looks.last, entry))
        known.sort(key=lambda each: each[0])
        return new + [entry for _last, entry in known]

    def _forget_all_but(self, files: set[File]) -> None:
        for file in self._looks.keys() - files:
            del self._looks[file]
