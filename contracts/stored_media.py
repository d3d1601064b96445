"""The media store's one rule: who uses what lies in it says so first.

Retention removes media that no run refers to. A submission that finds its media stored already has
no run yet, so it claims the media: what was claimed lately is not removed. Claiming, storing and
removing take one lock, so that a claim either finds the media and keeps it, or finds it gone.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager

from contracts.home import Home
from contracts.patterns import is_sha256


@contextmanager
def locked_store(home: Home) -> Iterator[None]:
    """Between processes and threads: while it is held, nothing enters or leaves the store."""
    home.media_lock.parent.mkdir(parents=True, exist_ok=True)
    with home.media_lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def claim_media(home: Home, reference: str) -> bool:
    """Whether the media is stored; if so, it is safe from retention until a run refers to it.

    False as well for a reference that is no SHA-256: files elsewhere are not in the store.
    """
    if not is_sha256(reference):
        return False
    with locked_store(home):
        if not (home.media(reference).is_file() and home.media_facts(reference).is_file()):
            return False
        os.utime(home.media_facts(reference))
    return True


def last_used(home: Home, sha256: str) -> float:
    """When the media was stored or claimed last, in seconds since the epoch; 0 if it is gone.

    It is the time of the facts beside the media: the media's own may be shared by a hard link.
    """
    for path in (home.media_facts(sha256), home.media(sha256)):
        if path.exists():
            return path.stat().st_mtime
    return 0.0


def remove_media(home: Home, sha256: str, *, unused_since: float) -> bool:
    """Removes the media unless it was used since; False if it was."""
    with locked_store(home):
        if last_used(home, sha256) >= unused_since:
            return False
        home.media(sha256).unlink(missing_ok=True)
        home.media_facts(sha256).unlink(missing_ok=True)
    return True
