"""Whether a file that a job names by its path is still the one that the job is about."""

from pathlib import Path

from contracts.cached_file import read_cached_file, record_of
from contracts.home import Home
from contracts.patterns import is_sha256
from contracts.sha256 import sha256_of
from orchestration.annotation.media_store import locate_media
from pipelines.errors import MediaChangedError, MediaError


def check_unchanged(home: Home, named: str, sha256: str | None) -> None:
    """`sha256` is of the content that the job was submitted for; None for one that says none.

    The file is read only if nothing is known of its present state. Raises MediaChangedError, and
    MediaError if it is gone. Media in the store is named by its content.
    """
    if sha256 is None or is_sha256(named):
        return
    if _sha256(home, locate_media(home, named)) != sha256:
        raise MediaChangedError(
            f"{named} has changed since the job was submitted.", "Submit the video again."
        )


def _sha256(home: Home, path: Path) -> str:
    try:
        known = read_cached_file(record_of(home, path))
        if known is not None:
            return known.sha256
        return sha256_of(path)
    except OSError as error:
        raise MediaError(
            f"The file cannot be read: {error.strerror}.", "Check the path."
        ) from error
