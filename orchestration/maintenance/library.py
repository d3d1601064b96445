"""The media library: folders of other people's making, in which videos come and go."""

import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from contracts.home import Home
from contracts.known_file import KnownFile, read_known_file, record_of, write_known_file
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
_PROBE_SECONDS = 60.0
_REFUSED = 2
_HINT = "Check that it plays in a video player, or convert it to MP4."


def media_files(roots: Sequence[Path]) -> Iterator[Path]:
    """Every settled media file below the folders, in a stable order, hidden ones left out."""
    for root in roots:
        yield from _below(root.resolve())


def know(home: Home, path: Path) -> KnownFile:
    """What the file is, read from it only if it has changed since it was last looked at.

    Raises MediaError if it cannot be read.
    """
    try:
        str(path).encode()
    except UnicodeEncodeError as error:
        raise MediaError("The file's name is not UTF-8.", "Rename it.") from error
    try:
        record = record_of(home, path)
        if known := read_known_file(record):
            return known
        facts = _probe(path)
        known = KnownFile(path, _hash(path), facts)
    except OSError as error:
        raise MediaError(f"The file cannot be read: {error.strerror}.", _HINT) from error
    write_known_file(record, known)
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


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _probe(path: Path) -> dict[str, Any]:
    """In a process of its own: what a broken file does to a decoder, it does to nobody else."""
    try:
        probing = subprocess.run(  # noqa: S603 - our own program
            [sys.executable, "-m", "pipelines.probe", str(path), f"--name={path.name}"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_PROBE_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        message = f"The file could not be read within {_PROBE_SECONDS:g} s."
        raise MediaError(message, _HINT) from error
    if probing.returncode == _REFUSED and probing.stdout:
        refusal = json.loads(probing.stdout)["error"]
        raise MediaError(refusal["message"], refusal["hint"])
    if probing.returncode != 0:
        raise MediaError("Decoding the file's first frame breaks the decoder.", _HINT)
    facts: dict[str, Any] = json.loads(probing.stdout)
    del facts["path"]  # the record says where the file is
    return facts
