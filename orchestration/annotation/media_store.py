"""Finds the file that a run config's `media` names."""

from pathlib import Path

from contracts.home import Home
from contracts.linked_media import drop_overwritten_media
from contracts.patterns import is_sha256
from pipelines.errors import MediaError


def locate_media(home: Home, media: str) -> Path:
    """`media` is the SHA-256 of an upload or an absolute path; raises MediaError if it is gone."""
    if is_sha256(media):
        drop_overwritten_media(home, media)
    path = home.media(media) if is_sha256(media) else Path(media)
    if not path.is_absolute():
        raise MediaError(
            f"The media path {media!r} is not absolute.",
            "Give the SHA-256 of an upload, or the whole path of a file on this machine.",
        )
    if not path.is_file():
        raise MediaError(
            f"There is no media at {media!r}.",
            "It was deleted, moved or overwritten after the job was submitted; submit the video "
            "again.",
        )
    return path
