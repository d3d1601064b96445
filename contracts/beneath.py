"""Opens files beneath a folder without following links: not in their names, not on the way."""

import os
import stat
from pathlib import Path

_FOLDER = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
#: `O_NONBLOCK` so that opening a named pipe does not wait for its other end.
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def open_beneath(root: Path, path: Path | str) -> int:
    """A descriptor of the regular file at `path`, relative to `root`; the caller closes it.

    `root` itself may be reached through links. Raises OSError where the path leaves the folder,
    where a link stands in it, or where it names anything but a regular file.
    """
    parts = Path(path).parts
    if not parts or Path(path).is_absolute() or ".." in parts:
        raise PermissionError(f"{str(path)!r} does not lie in the folder")
    folder = os.open(root, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for part in parts[:-1]:
            inner = os.open(part, _FOLDER, dir_fd=folder)
            os.close(folder)
            folder = inner
        file = os.open(parts[-1], _FILE, dir_fd=folder)
    finally:
        os.close(folder)
    return require_regular(file)


def require_regular(file: int) -> int:
    """The descriptor itself. Closes it and raises OSError if it is not of a regular file."""
    if stat.S_ISREG(os.fstat(file).st_mode):
        return file
    os.close(file)
    raise PermissionError("It is not a regular file")


def is_beneath(root: Path, path: Path | str) -> bool:
    """Whether `open_beneath` opens it."""
    try:
        os.close(open_beneath(root, path))
    except (OSError, ValueError):
        return False
    return True
