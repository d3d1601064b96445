"""Moves a file that cannot be run out of the way, with a note beside it that says why."""

import os
from datetime import UTC, datetime
from itertools import count
from pathlib import Path, PurePath

from orchestration.inbox.entry import readable, shortened
from orchestration.inbox.folder import InboxFolder
from orchestration.inbox.intake import Rejection

_NOTE_SUFFIX = ".reason.txt"
_MOST_BYTES = 255  # of a file's name
_SUFFIX_BYTES = 20

_NOTE = """\
{name} was not run.

Why: {reason}
What to do: {hint}

Framegate moved it here on {day} at {time} UTC. Once it is in order, move it back to
{folder}
and remove this note.
"""


def set_aside(folder: InboxFolder, name: str, rejection: Rejection) -> Path:
    """Where the file lies now. Nothing that lies there is ever overwritten. Raises OSError."""
    folder.rejected.mkdir(exist_ok=True)
    target = _reserve(folder.rejected, name)
    note = _note(target)
    try:
        note.write_text(_text(folder, name, rejection), errors="replace")
        (folder.path / name).rename(target)
    except OSError:
        note.unlink(missing_ok=True)
        raise
    return target


def _reserve(folder: Path, name: str) -> Path:
    """A path whose note is ours: it is created here, which only one can do."""
    for number in count(1):
        target = folder / _numbered(name, number)
        if os.path.lexists(target):
            continue
        try:
            _note(target).open("x").close()
        except FileExistsError:
            continue
        return target
    raise AssertionError


def _numbered(name: str, number: int) -> str:
    """`clip.mp4`, `clip (2).mp4`, ...: short enough for a note's name to fit, too."""
    path = PurePath(name)
    tail = (f" ({number})" if number > 1 else "") + shortened(path.suffix, _SUFFIX_BYTES)
    room = _MOST_BYTES - len(_NOTE_SUFFIX) - len(os.fsencode(tail))
    return shortened(path.stem, room) + tail


def _note(target: Path) -> Path:
    return target.with_name(f"{target.name}{_NOTE_SUFFIX}")


def _text(folder: InboxFolder, name: str, rejection: Rejection) -> str:
    now = datetime.now(UTC)
    return _NOTE.format(
        name=readable(name),
        reason=rejection.reason,
        hint=rejection.hint,
        day=f"{now:%Y-%m-%d}",
        time=f"{now:%H:%M:%S}",
        folder=readable(str(folder.path)),
    )
