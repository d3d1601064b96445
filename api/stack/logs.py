"""The log of each part: one file, the last few starts' kept beside it."""

from pathlib import Path

_KEPT = 3
_TAIL_BYTES = 16_384


def rotate(path: Path) -> None:
    """`part.log` becomes `part.1.log` and so on; the oldest goes."""
    for number in range(_KEPT, 0, -1):
        older = path if number == 1 else _numbered(path, number - 1)
        if older.exists():
            older.replace(_numbered(path, number))


def tail(path: Path, lines: int = 12) -> str:
    """The last lines, however long the file is; empty where there is none."""
    if not path.exists():
        return ""
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - _TAIL_BYTES))
        text = file.read().decode(errors="replace")
    return "\n".join(text.splitlines()[-lines:])


def _numbered(path: Path, number: int) -> Path:
    return path.with_suffix(f".{number}{path.suffix}")
