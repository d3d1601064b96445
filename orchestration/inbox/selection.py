"""Which files are due, and how far the mark moves: pure decisions."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from orchestration.inbox.cursor import MAX_WAITING, HighWaterMark
from orchestration.inbox.entry import ChangeTime, Entry


class FileStatus(Enum):
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
    every = sorted(entries, key=lambda entry: entry.change_time)
    due = tuple(entry for entry in every if entry.change_time[0] + quiet <= now)
    return Selection(due, len(every) - len(due))


def trusted(mark: HighWaterMark, now: int, set_back: int) -> HighWaterMark:
    """The mark, as far back as the clock was set since it was made, in nanoseconds; a fresh one
    where it is ahead of the clock all the same: files that are new now would be older than it.
    """
    if mark.settled[0] > now:
        return HighWaterMark()
    if not set_back:
        return mark
    settled = (max(0, mark.settled[0] - set_back), 0)
    return HighWaterMark(settled, frozenset(moment for moment in mark.waiting if moment <= settled))


def advance(
    mark: HighWaterMark, due: Sequence[Entry], statuses: Mapping[ChangeTime, FileStatus]
) -> HighWaterMark:
    """The mark moves up to the first file whose status is open; what waits is passed, and noted."""
    settled, waiting = mark.settled, set[ChangeTime]()
    for entry in due:
        status = statuses.get(entry.change_time)
        if status is FileStatus.SETTLED:
            settled = max(settled, entry.change_time)
        elif entry.change_time in mark.waiting:
            waiting.add(entry.change_time)
        elif status is FileStatus.WAITS and len(waiting) < MAX_WAITING:
            settled = max(settled, entry.change_time)
            waiting.add(entry.change_time)
        else:
            break
    return HighWaterMark(settled, frozenset(waiting))
