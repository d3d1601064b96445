"""Media that jobs may use: uploads, stored once under their SHA-256, and files in media roots.

Whatever is handed out here has been probed: a file that cannot be read never reaches the queue.
"""

import asyncio
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from anyio import to_thread

from api.errors import InvalidRequestError, NotFoundError
from api.media.probing import Prober
from api.media.uploads import Upload
from contracts.beneath import open_beneath
from contracts.cached_file import CachedFile, read_cached_file, record_of, write_cached_file
from contracts.checked_file import CheckedFile, Identity, check_beneath
from contracts.home import Home
from contracts.json_file import read_json, write_json
from contracts.linked_media import drop_overwritten_media
from contracts.patterns import is_sha256
from contracts.run import MediaFacts
from contracts.sha256 import sha256_of_open
from contracts.stored_media import claim_media, locked_store

#: Containers whose files are named otherwise than the container is.
_SUFFIXES = dict.fromkeys(("m4a", "3gp", "3g2", "mj2"), ".mp4")
_SUFFIXES |= {"mpegts": ".ts", "mpeg": ".mpg", "mpegvideo": ".mpg", "yuv4mpegpipe": ".y4m"}


@dataclass(frozen=True)
class StoredMedia:
    """`reference` is what a run config names: the hash of an upload, or an absolute path."""

    reference: str
    sha256: str
    facts: MediaFacts


@dataclass(frozen=True)
class LocatedMedia:
    """A file, and the suffix that its content calls for."""

    file: CheckedFile
    suffix: str


@dataclass(frozen=True)
class _OpenFile:
    """A file in a media root, open: whatever takes its name from now on, this is what is read."""

    path: Path
    descriptor: int


class MediaStore:
    def __init__(self, home: Home, roots: Sequence[Path], prober: Prober) -> None:
        self._home = home
        self._roots = [root.resolve() for root in roots]
        self._prober = prober

    async def keep(self, upload: Upload) -> StoredMedia:
        """Takes the upload in. Raises InvalidRequestError if it is not media."""
        facts = await to_thread.run_sync(self._claim, upload.sha256)
        if facts is None:
            facts = await self._prober.probe(upload.path, upload.filename)
            await to_thread.run_sync(self._store, upload, facts)
        return StoredMedia(upload.sha256, upload.sha256, _facts(facts, name=upload.filename))

    async def find(self, reference: str) -> StoredMedia:
        """The media that a submission names. Raises NotFoundError, InvalidRequestError."""
        if is_sha256(reference):
            return await to_thread.run_sync(self._find_upload, reference)
        file = await to_thread.run_sync(self._open, reference)
        try:
            return await self._find_file(file)
        finally:
            os.close(file.descriptor)

    def locate(self, reference: str) -> LocatedMedia:
        """The file that a run config's `media` names: an upload, or a file that was recorded when
        a job was made of it and has not changed since. Whatever else a run config may name, it is
        never handed out. Raises NotFoundError.
        """
        with suppress(OSError, ValueError):
            if is_sha256(reference):
                return self._locate_upload(reference)
            return self._locate_recorded(Path(reference))
        raise NotFoundError(
            "The media of this job is gone: it was deleted, moved or changed.", field="media"
        )

    def is_there(self, reference: str) -> bool:
        """Whether a run could read the media that its config names."""
        if is_sha256(reference):
            drop_overwritten_media(self._home, reference)
            return self._home.media(reference).is_file()
        return Path(reference).is_absolute() and Path(reference).is_file()

    def _locate_upload(self, sha256: str) -> LocatedMedia:
        """Raises OSError if it is gone."""
        drop_overwritten_media(self._home, sha256)
        media = self._home.media(sha256)
        file = check_beneath(media.parent, media.name)
        return LocatedMedia(file, _suffix(read_json(self._home.media_facts(sha256)) or {}))

    def _locate_recorded(self, path: Path) -> LocatedMedia:
        """Raises OSError if it is gone, has changed, or was never recorded."""
        file = check_beneath(path.parent, path.name)
        known = read_cached_file(record_of(self._home, path, file.identity))
        if known is None:
            raise FileNotFoundError(path)
        return LocatedMedia(file, _suffix(known.facts))

    def _claim(self, sha256: str) -> dict[str, Any] | None:
        """The facts of stored media, which retention spares from now on; None without any."""
        drop_overwritten_media(self._home, sha256)
        is_stored = claim_media(self._home, sha256)
        return read_json(self._home.media_facts(sha256)) if is_stored else None

    def _store(self, upload: Upload, facts: Mapping[str, Any]) -> None:
        target = self._home.media(upload.sha256)
        target.parent.mkdir(parents=True, exist_ok=True)
        with locked_store(self._home):
            write_json(self._home.media_facts(upload.sha256), facts)
            upload.path.replace(target)

    def _find_upload(self, sha256: str) -> StoredMedia:
        facts = self._claim(sha256)
        if facts is None:
            raise NotFoundError(
                f"No upload has the hash {sha256}.",
                field="media",
                hint="Post the file itself as the form field `video`.",
            )
        return StoredMedia(sha256, sha256, _facts(facts))

    def _open(self, reference: str) -> _OpenFile:
        """The file that a path names. Links are followed to find it, as long as they stay inside
        the media roots; it is opened without following any. One message for all that is wrong
        with it: a stranger shall not learn what lies outside the roots.
        """
        with suppress(OSError, ValueError, RuntimeError):
            if Path(reference).is_absolute():
                real = Path(reference).resolve(strict=True)
                for root in self._roots:
                    if real.is_relative_to(root):
                        return _OpenFile(real, open_beneath(root, real.relative_to(root)))
        raise InvalidRequestError(
            "The media is neither the SHA-256 of an upload nor a file in a media root.",
            field="media",
            hint="Post the file itself as the form field `video`, or have its folder added to "
            "FRAMEGATE_MEDIA_ROOTS.",
        )

    async def _find_file(self, file: _OpenFile) -> StoredMedia:
        """Hashing and probing a file is done once for each state that the file is in. Both read
        the open file, whatever has taken its name meanwhile.
        """
        identity = Identity.of(os.fstat(file.descriptor))
        record = record_of(self._home, file.path, identity)
        known = await to_thread.run_sync(read_cached_file, record)
        if known is None:
            facts, sha256 = await asyncio.gather(
                self._prober.probe(file.path, file.path.name, descriptor=file.descriptor),
                to_thread.run_sync(sha256_of_open, file.descriptor),
            )
            known = CachedFile(file.path, sha256, facts)
            await to_thread.run_sync(write_cached_file, record, known)
        return StoredMedia(str(file.path), known.sha256, _facts(known.facts))


def _suffix(facts: Mapping[str, Any]) -> str:
    """What the container that probing found calls for."""
    container = facts.get("container", "")
    return _SUFFIXES.get(container, f".{container}" if container else "")


def _facts(facts: Mapping[str, Any], name: str | None = None) -> MediaFacts:
    return MediaFacts(
        filename=name or facts["name"],
        size_bytes=facts["size_bytes"],
        duration_seconds=facts["duration_seconds"],
    )
