"""Disks of the tests' own: a small one that can be filled, and a folder that is made read-only."""

import errno
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

_BLOCK = 2**12


@contextmanager
def mounted(*arguments: str, at: Path) -> Iterator[None]:
    """Skips the test where this user may not mount."""
    at.mkdir(parents=True, exist_ok=True)
    mount = subprocess.run(["mount", *arguments, str(at)], capture_output=True, text=True)  # noqa: PLW1510, S607
    if mount.returncode != 0:
        pytest.skip(f"this user may not mount here: {mount.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(at)], check=True)  # noqa: S607


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """Nobody may write into the folder, not even root."""
    with mounted("--bind", str(folder), at=folder):
        subprocess.run(["mount", "-o", "remount,bind,ro", str(folder)], check=True)  # noqa: S607
        yield


@contextmanager
def filled(disk: Path, leave: int = 0) -> Iterator[None]:
    """Nothing but `leave` bytes can be written to the disk meanwhile."""
    ballast = disk / "ballast"
    with ballast.open("wb") as file:
        status = os.statvfs(disk)
        _write(file.fileno(), status.f_bavail * status.f_frsize - leave)
    try:
        yield
    finally:
        ballast.unlink()


def _write(file: int, size: int) -> None:
    """Until nothing more goes in, if so much does not."""
    block = bytes(_BLOCK)
    for _ in range(size // _BLOCK):
        try:
            os.write(file, block)
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
            return
