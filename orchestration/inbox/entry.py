"""What lies in a folder of the inbox, and of it, what has not been dealt with yet."""

import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

#: When the kernel last noted a change of a file, in nanoseconds, and the file's inode. Writing,
#: renaming, touching and linking all move it forward, and nobody can set it back.
ChangeTime: TypeAlias = tuple[int, int]

#: Beside a video: a link to its results.
RESULTS_SUFFIX = ".results"

_UNFINISHED = (".part", ".partial", ".filepart", ".tmp", ".temp", ".crdownload", ".download", "~")


@dataclass(frozen=True)
class Entry:
    """A file, or what looks like one: `is_file` is False for links, pipes and devices."""

    name: str
    change_time: ChangeTime
    is_file: bool


def unsettled_entries(folder: Path, is_settled: Callable[[ChangeTime], bool]) -> Iterator[Entry]:
    """All but folders, names that say that the file is not finished, and links to results.
    Raises OSError where the folder cannot be read.
    """
    with os.scandir(folder) as found:
        for entry in found:
            if is_ignored(entry.name):
                continue
            try:
                status = entry.stat(follow_symlinks=False)
            except OSError:  # it is gone
                continue
            moment = (status.st_ctime_ns, status.st_ino)
            if stat.S_ISDIR(status.st_mode) or is_settled(moment):
                continue
            if stat.S_ISLNK(status.st_mode) and entry.name.endswith(RESULTS_SUFFIX):
                continue
            yield Entry(entry.name, moment, stat.S_ISREG(status.st_mode))


def is_ignored(name: str) -> bool:
    return name.startswith(".") or name.lower().endswith(_UNFINISHED)


def readable(name: str) -> str:
    """A file's name for people, and for databases: names on disk need not be UTF-8."""
    return os.fsencode(name).decode(errors="replace")


def shortened(name: str, most_bytes: int) -> str:
    """The beginning of the name, in whole characters: file systems allow 255 bytes."""
    encoded = os.fsencode(name)
    return name if len(encoded) <= most_bytes else encoded[:most_bytes].decode(errors="ignore")
