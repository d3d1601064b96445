"""Which files are due, and how far the mark moves: pure decisions."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from orchestration.inbox.cursor import MAX_WAITING, Mark
from orchestration.inbox.entry import Entry, Moment


class Fate(Enum):
    """What became of a file that was due. One that is not spoken of is due again next time."""

    SETTLED = "settled"
    WAITS = "waits"


@dataclass(frozen=True)
class Selection:
    """`due` is oldest first; `growing` counts what changed too lately."""

    due: tuple[Entry, ...]
    growing: int


def select(entries: Iterable[Entry], now: int, quiet: int) -> Selection:
    """`entries` are those not settled; `quiet` is how long a file must not have changed. Both
    times in nanoseconds.
    """
    every = sorted(entries, key=lambda entry: entry.moment)
    due = tuple(entry for entry in every if entry.moment[0] + quiet <= now)
    return Selection(due, len(every) - len(due))


def trusted(mark: Mark, now: int, set_back: int) -> Mark:
    """The mark, as far back as the clock was set since it was made, in nanoseconds; a fresh one
    where it is ahead of the clock all the same: files that are new now would be older than it.
    """
    if mark.settled[0] > now:
        return Mark()
    if not set_back:
        return mark
    settled = (max(0, mark.settled[0] - set_back), 0)
    return Mark(settled, frozenset(moment for moment in mark.waiting if moment <= settled))


def advance(mark: Mark, due: Sequence[Entry], fates: Mapping[Moment, Fate]) -> Mark:
    """The mark moves up to the first file whose fate is open; what waits is passed, and noted."""
    settled, waiting = mark.settled, set[Moment]()
    for entry in due:
        fate = fates.get(entry.moment)
        if fate is Fate.SETTLED:
            settled = max(settled, entry.moment)
        elif entry.moment in mark.waiting:
            waiting.add(entry.moment)
        elif fate is Fate.WAITS and len(waiting) < MAX_WAITING:
            settled = max(settled, entry.moment)
            waiting.add(entry.moment)
        else:
            break
    return Mark(settled, frozenset(waiting))
