"""Cleans file names from outside: safe to show, to log and to put into a header."""

import unicodedata
from pathlib import PurePosixPath

_MAX_LENGTH = 200
_NAMELESS = "video"


def clean_filename(name: str) -> str:
    """The last part of the path, without control, format and unassigned characters."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    shown = "".join(
        character for character in last if not unicodedata.category(character).startswith("C")
    ).strip(" .")
    path = PurePosixPath(shown or _NAMELESS)
    return path.stem[: _MAX_LENGTH - len(path.suffix[:20])] + path.suffix[:20]
