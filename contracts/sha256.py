"""The SHA-256 of a file's content, by which media and results are known."""

import hashlib
import os
from pathlib import Path


def sha256_of(path: Path) -> str:
    """Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sha256_of_open(descriptor: int) -> str:
    """Of the whole file, wherever in it the descriptor stands; which stays open, at the end."""
    with os.fdopen(os.dup(descriptor), "rb") as file:
        file.seek(0)
        return hashlib.file_digest(file, "sha256").hexdigest()
