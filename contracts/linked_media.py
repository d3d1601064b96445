"""Media that lies in the store as a hard link: nothing is copied, and its other name may go.

Whoever holds the other name can also overwrite the file in place, and with it what the store has.
So the store remembers the file's time; where that differs, the content is hashed again.
"""

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from contracts.home import Home
from contracts.json_file import read_json, write_json
from contracts.sha256 import sha256_of
from contracts.stored_media import locked_store

#: Beside what probing gave, in the facts of media that is a hard link.
_LINKED_AT = "linked_mtime_ns"


def link_media(home: Home, sha256: str, file: int, facts: Mapping[str, Any]) -> bool:
    """Puts the open file into the store; False where it cannot be linked, because it lies on
    another file system or is another user's.
    """
    target = home.media(sha256)
    target.parent.mkdir(parents=True, exist_ok=True)
    with locked_store(home):
        try:
            with suppress(FileExistsError):
                # Python follows the link in /proc only when a folder is given, too.
                os.link(f"/proc/self/fd/{file}", target, src_dir_fd=file, follow_symlinks=True)
        except OSError:
            return False
        if target.stat().st_ino == os.fstat(file).st_ino:
            facts = {**facts, _LINKED_AT: os.fstat(file).st_mtime_ns}
        write_json(home.media_facts(sha256), facts)
    return True


def drop_overwritten_media(home: Home, sha256: str) -> None:
    """Takes linked media out of the store if its content is no longer what the store says."""
    path, facts = home.media(sha256), read_json(home.media_facts(sha256))
    if facts is None or _LINKED_AT not in facts or not path.is_file():
        return
    seen = _state(path)
    if seen is None or seen[1] == facts[_LINKED_AT]:
        return
    is_same = sha256_of(path) == sha256  # it was only touched
    with locked_store(home):
        if _state(path) != seen:  # somebody else has dropped it, and maybe linked it anew
            return
        if is_same:
            write_json(home.media_facts(sha256), {**facts, _LINKED_AT: seen[1]})
            return
        path.unlink(missing_ok=True)
        home.media_facts(sha256).unlink(missing_ok=True)


def _state(path: Path) -> tuple[int, int] | None:
    """The file's inode and modification time; None if there is no file."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return status.st_ino, status.st_mtime_ns
