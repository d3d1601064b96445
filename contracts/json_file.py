"""Small JSON files that several processes read while one replaces them."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from contracts.atomic_file import replacing


def read_json(path: Path) -> dict[str, Any] | None:
    """None where there is no such file, or no JSON object in it."""
    try:
        value = json.loads(path.read_bytes())
    except (FileNotFoundError, ValueError):
        return None
    return value if isinstance(value, dict) else None


def write_json(path: Path, value: Mapping[str, Any], *, to_disk: bool = False) -> None:
    """A reader sees the whole file or the one before; with `to_disk`, also after a power failure
    that follows.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as temporary, temporary.open("w") as file:
        json.dump(value, file)
        if to_disk:
            file.flush()
            os.fsync(file.fileno())
    if to_disk:  # the name, and that of the folder, which may be new
        _sync_folder(path.parent)
        _sync_folder(path.parent.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
