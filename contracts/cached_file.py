"""A cache of what probing found in files outside the media store, valid until they change.

Hashing and probing a large file takes long: it is done once for each state that the file is in.
"""

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contracts.checked_file import Identity
from contracts.home import Home
from contracts.json_file import read_json, write_json


@dataclass(frozen=True)
class CachedFile:
    """`facts` is what probing the file gave."""

    path: Path
    sha256: str
    facts: Mapping[str, Any]


def record_of(home: Home, path: Path, identity: Identity | None = None) -> Path:
    """Where what is known of the file lies, in the state that `identity` tells or, without one,
    in its present state. Ask before reading the file: if it changes meanwhile, the record is of
    the state before. Raises OSError.
    """
    state = f"{path}\0{identity or Identity.of(path.stat())}"
    return home.media_path_facts(hashlib.sha256(os.fsencode(state)).hexdigest())


def read_cached_file(record: Path) -> CachedFile | None:
    known = read_json(record)
    if known is None or not known.keys() >= {"sha256", "facts"}:
        return None
    return CachedFile(Path(known.get("path", "")), known["sha256"], known["facts"])


def write_cached_file(record: Path, known: CachedFile) -> None:
    write_json(
        record, {"path": str(known.path), "sha256": known.sha256, "facts": dict(known.facts)}
    )


def is_outdated(home: Home, record: Path) -> bool:
    """Whether the file is gone or has changed; True as well where the record does not name it."""
    known = read_cached_file(record)
    if known is None:
        return True
    try:
        return record_of(home, known.path) != record
    except OSError:
        return True
