"""What of a home belongs into a backup, in the order in which it has to be copied.

Jobs run meanwhile. What is copied later may know more than what was copied before, but never less:
a run that is on record has its media, and one that is on record as completed has its results. So
records come before what they speak of, and an idempotency record before the run that it speaks of,
since a record without a run says which id that has, and a key without a record is unknown.
"""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

#: SQLite files, when nothing else is used; with PostgreSQL there are none.
_DATABASES = (
    "framegate.db",
    "dagster/schedules/*.db",
    "dagster/history/runs.db",
    "dagster/history/runs/**/*.db",
)
#: Of the running stack alone, or made anew when it starts.
_LEFT_OUT = frozenset({"dagster/dagster.yaml", "logs", "run", "uploads"})
_LEFT_OUT_OF_A_JOB = "partial"
_SQLITE_SUFFIXES = (".db", ".db-wal", ".db-shm", ".db-journal")


def databases(root: Path) -> Iterator[Path]:
    """Relative paths; each is looked for only when those before it were taken."""
    for pattern in _DATABASES:
        for path in sorted(root.glob(pattern)):
            yield path.relative_to(root)


def files(root: Path) -> Iterator[Path]:
    """Relative paths of all regular files that are no databases. Links, pipes, sockets and devices
    are left out: people put them into the inbox, and what they lead to is not the home's.
    """
    for folder, folders, names in os.walk(root):
        here = Path(folder).relative_to(root)
        folders[:] = sorted(name for name in folders if _belongs(here / name))
        for name in sorted(names):
            path = here / name
            if _belongs(path) and not name.endswith(_SQLITE_SUFFIXES) and _is_file(root / path):
                yield path


def never_changes(path: Path) -> bool:
    """Whether a file is only ever replaced as a whole, so that a hard link to it is a copy."""
    folder = path.parts[0]
    return folder == "media" or (folder == "jobs" and path.parts[2:3] == ("results",))


def _is_file(path: Path) -> bool:
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except OSError:  # gone meanwhile
        return False


def _belongs(path: Path) -> bool:
    if path.parts[0] == "jobs" and path.parts[2:3] == (_LEFT_OUT_OF_A_JOB,):
        return False
    return path.as_posix() not in _LEFT_OUT
