"""A file that was checked, and is opened only as long as it is still the same one."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from contracts.beneath import open_beneath, require_regular


@dataclass(frozen=True)
class Identity:
    """Which file it is and in which state: whatever replaces or changes it changes this."""

    device: int
    inode: int
    size_bytes: int
    changed_ns: int

    @classmethod
    def of(cls, status: os.stat_result) -> "Identity":
        return cls(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)

    def __str__(self) -> str:
        return f"{self.device}:{self.inode}:{self.size_bytes}:{self.changed_ns}"


@dataclass(frozen=True)
class CheckedFile:
    """A path, and the identity that its file had when it was checked."""

    path: Path
    identity: Identity

    @property
    def size_bytes(self) -> int:
        return self.identity.size_bytes

    def open(self) -> BinaryIO:
        """The very file that was checked. Raises OSError if it was replaced or changed since."""
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        file = require_regular(os.open(self.path, flags))
        if Identity.of(os.fstat(file)) != self.identity:
            os.close(file)
            raise FileNotFoundError(f"{self.path} has been replaced or changed")
        return os.fdopen(file, "rb")


def check_beneath(root: Path, path: Path | str) -> CheckedFile:
    """The regular file at `path`, relative to `root`, as it is now. Raises OSError where
    `open_beneath` does.
    """
    file = open_beneath(root, path)
    try:
        return CheckedFile(root / path, Identity.of(os.fstat(file)))
    finally:
        os.close(file)
