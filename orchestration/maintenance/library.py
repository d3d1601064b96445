"""The media library: folders of other people's making, in which videos come and go."""

import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from contracts.cached_file import CachedFile, read_cached_file, record_of, write_cached_file
from contracts.home import Home
from contracts.sha256 import sha256_of
from orchestration.inbox.probing import probe_apart
from pipelines.errors import MediaError

#: Beside videos lie subtitles, posters and notes; what has none of these suffixes is passed over.
MEDIA_SUFFIXES = frozenset(
    f".{name}"
    for name in (
        *("3gp", "aac", "avi", "flac", "flv", "m2ts", "m4a", "m4v", "mkv", "mov", "mp3", "mp4"),
        *("mpeg", "mpg", "mts", "mxf", "ogg", "ogv", "opus", "ts", "wav", "webm", "wmv"),
    )
)

#: A file that changed so lately may still be on its way here.
_SETTLE_SECONDS = 300.0
_HINT = "Check that it plays in a video player, or convert it to MP4."


def media_files(roots: Sequence[Path]) -> Iterator[Path]:
    """Every settled media file below the folders, in a stable order, hidden ones left out."""
    for root in roots:
        yield from _below(root.resolve())


def know(home: Home, path: Path) -> CachedFile:
    """What the file is, read from it only if it has changed since it was last looked at.

    Raises MediaError if it cannot be read, and ProbingError.
    """
    try:
        str(path).encode()
    except UnicodeEncodeError as error:
        raise MediaError("The file's name is not UTF-8.", "Rename it.") from error
    try:
        record = record_of(home, path)
        if known := read_cached_file(record):
            return known
        facts = probe_apart(path, path.name)
        known = CachedFile(path, sha256_of(path), facts)
        if record_of(home, path) != record:
            raise MediaError("The file changed while it was read.", "It is read again next time.")
    except OSError as error:
        raise MediaError(f"The file cannot be read: {error.strerror}.", _HINT) from error
    write_cached_file(record, known)
    return known


def _below(folder: Path) -> Iterator[Path]:
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = Path(parent) / name
            if not name.startswith(".") and path.suffix.lower() in MEDIA_SUFFIXES:
                yield from _settled(path)


def _settled(path: Path) -> Iterator[Path]:
    try:
        changed_at = path.stat().st_mtime
    except OSError:  # gone meanwhile, or a link to nowhere
        return
    if path.is_file() and time.time() - changed_at > _SETTLE_SECONDS:
        yield path
