"""Takes a dropped file in: reads it once, asks what it is, and puts it into the media store."""

import fcntl
import os
import signal
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from contracts.cached_file import CachedFile, read_cached_file, record_of, write_cached_file
from contracts.home import Home
from contracts.json_file import read_json
from contracts.linked_media import drop_overwritten_media, link_media
from contracts.run import MediaFacts
from contracts.sha256 import sha256_of_open
from contracts.stored_media import claim_media
from orchestration.inbox.entry import readable
from orchestration.inbox.probing import ProbingError, probe_apart
from pipelines.errors import MediaError


@dataclass(frozen=True)
class Video:
    """A file that can be run. `media` is what a run config names: the hash of what is stored, or
    the file's path.
    """

    media: str
    sha256: str
    facts: MediaFacts


@dataclass(frozen=True)
class Rejection:
    """The file will never be run as it is."""

    reason: str
    hint: str


@dataclass(frozen=True)
class Postponement:
    """Nothing can be said of the file now."""

    reason: str


IntakeResult: TypeAlias = Video | Rejection | Postponement

_CHANGED = Postponement("changes while it is read")


def take_in(path: Path, home: Home) -> IntakeResult:
    """Takes long for a large file that is new. Never raises for what is wrong with the file."""
    try:
        file = _open(path)
    except PermissionError:
        return Rejection("Framegate may not read the file.", "Allow it to: chmod a+r.")
    except OSError as error:  # gone, a disk that fails
        return Postponement(str(error))
    try:
        return _take_in(path, file, home)
    except MediaError as error:
        return Rejection(error.message, error.hint or "Choose another file.")
    except (OSError, ProbingError) as error:  # a disk that fails or is full
        return Postponement(str(error))
    finally:
        os.close(file)


def _open(path: Path) -> int:
    """Neither follows a link nor waits for the other end of a pipe."""
    return os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)


def _take_in(path: Path, file: int, home: Home) -> IntakeResult:
    before = os.fstat(file)
    if not stat.S_ISREG(before.st_mode):
        return _CHANGED
    if _is_being_written(file):
        return Postponement("is still open for writing")
    if before.st_size == 0:
        return Rejection("The file is empty.", "Copy it here again.")
    record = record_of(home, path)
    known = read_cached_file(record)
    sha256 = known.sha256 if known else sha256_of_open(file)
    facts = _stored_facts(home, sha256)
    is_stored = facts is not None
    facts = facts or (known.facts if known else probe_apart(path, readable(path.name)))
    if _identity(os.fstat(file)) != _identity(before) or record_of(home, path) != record:
        return _CHANGED
    is_stored = is_stored or link_media(home, sha256, file, facts)
    write_cached_file(record, CachedFile(path, sha256, facts))
    name = readable(path.name)
    if not is_stored and name != path.name:
        return Rejection("The file's name is not UTF-8.", "Rename it.")
    return Video(sha256 if is_stored else str(path), sha256, _media_facts(facts, name))


def _is_being_written(file: int) -> bool:
    """Whether some process has the file open for writing, as far as the kernel tells: a copy that
    pauses for long is not a copy that is done.
    """
    try:
        fcntl.fcntl(file, fcntl.F_SETSIG, signal.SIGURG)  # which is ignored, unlike SIGIO
        fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_RDLCK)
    except BlockingIOError:
        return True
    except OSError:  # another user's file, or a file system without leases
        return False
    fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    return False


def _stored_facts(home: Home, sha256: str) -> Mapping[str, Any] | None:
    drop_overwritten_media(home, sha256)
    return read_json(home.media_facts(sha256)) if claim_media(home, sha256) else None


def _identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_size, status.st_mtime_ns


def _media_facts(facts: Mapping[str, Any], name: str) -> MediaFacts:
    return MediaFacts(name, facts["size_bytes"], facts["duration_seconds"])
