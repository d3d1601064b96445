"""Writes an upload to disk and hashes it on the way; removes it if anything fails."""

import errno
import hashlib
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from typing import BinaryIO

import anyio
from anyio import to_thread
from starlette.requests import ClientDisconnect, Request

from api.errors import (
    InvalidRequestError,
    PayloadTooLargeError,
    StorageFullError,
)
from api.http.filenames import clean_filename
from api.units import GIGABYTE

#: Large enough that handing a piece to a thread costs nothing beside writing and hashing it.
_PIECE_BYTES = 1024**2
#: What a form may take beside the file in it.
_FORM_BYTES = 8 * 1024**2
NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
#: A client that sends nothing for so long has gone without saying so.
_STALL_SECONDS = 60.0


@dataclass(frozen=True)
class UploadLimits:
    max_bytes: int
    minimum_free_bytes: int


class Upload:
    """A `Sink` that writes to `path`; `size_bytes` and `sha256` are what came so far."""

    def __init__(self, path: Path, limits: UploadLimits) -> None:
        self.path = path
        self.filename = ""
        self.size_bytes = 0
        self._limits = limits
        self._hash = hashlib.sha256()
        self._file: BinaryIO | None = None
        self._waiting: list[bytes] = []
        self._waiting_bytes = 0

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()

    def begin(self, filename: str) -> None:
        self.filename = clean_filename(filename)

    async def write(self, data: bytes) -> None:
        self._waiting.append(data)
        self._waiting_bytes += len(data)
        if self.size_bytes + self._waiting_bytes > self._limits.max_bytes:
            raise too_large(self._limits)
        if self._waiting_bytes >= _PIECE_BYTES:
            await to_thread.run_sync(self._flush)

    async def finish(self) -> None:
        """All of it is on the disk, and stays there if the power fails now."""
        await to_thread.run_sync(self._finish)

    def discard(self) -> None:
        if self._file:
            self._file.close()
        with suppress(FileNotFoundError):
            self.path.unlink()

    def _finish(self) -> None:
        self._flush()
        if self._file:
            os.fsync(self._file.fileno())
            self._file.close()

    def _flush(self) -> None:
        data = b"".join(self._waiting)
        self._waiting.clear()
        self._waiting_bytes = 0
        check_space(self.path.parent, len(data), self._limits.minimum_free_bytes)
        try:
            if self._file is None:
                self._file = self.path.open("xb", buffering=0)
            _write_all(self._file, data)
        except OSError as error:
            if error.errno not in NO_SPACE:
                raise
            free = shutil.disk_usage(self.path.parent).free
            raise storage_full(self.size_bytes + len(data), free) from error
        self._hash.update(data)
        self.size_bytes += len(data)


@asynccontextmanager
async def open_upload(folder: Path, limits: UploadLimits) -> AsyncIterator[Upload]:
    """An upload into `folder`; what is still at its path in the end is removed, which takes a
    while for a large file.
    """
    upload = Upload(folder / token_hex(16), limits)
    try:
        yield upload
    finally:
        with anyio.CancelScope(shield=True):
            await to_thread.run_sync(upload.discard)


async def chunks_of(request: Request, limits: UploadLimits) -> AsyncIterator[bytes]:
    """The body as it arrives. Raises InvalidRequestError when it ends early or stalls."""
    stream = request.stream()
    room = limits.max_bytes + _FORM_BYTES
    try:
        while True:
            with anyio.fail_after(_STALL_SECONDS):
                chunk = await anext(stream, None)
            if chunk is None:
                return
            room -= len(chunk)
            if room < 0:
                raise too_large(limits)
            yield chunk
    except ClientDisconnect as error:
        raise InvalidRequestError("The upload was cut off.") from error
    except TimeoutError as error:
        raise InvalidRequestError(f"Nothing was sent for {_STALL_SECONDS:.0f} s.") from error


def check_announced(announced: int, folder: Path, limits: UploadLimits) -> None:
    """Refuses a body by its Content-Length, before any of it is read."""
    if announced > limits.max_bytes + _FORM_BYTES:
        raise too_large(limits)
    check_space(folder, announced, limits.minimum_free_bytes)


def check_space(folder: Path, required: int, minimum_free: int) -> None:
    """Raises StorageFullError if writing `required` bytes leaves less than `minimum_free`."""
    free = shutil.disk_usage(folder).free
    if free - required < minimum_free:
        raise storage_full(required + minimum_free, free)


def storage_full(required: int, free: int) -> StorageFullError:
    return StorageFullError(
        "There is not enough space on the disk.",
        hint="Ask your administrator to free some space, or delete jobs you no longer need.",
        detail={
            "required_gb": round(required / GIGABYTE, 3),
            "available_gb": round(free / GIGABYTE, 3),
        },
    )


def too_large(limits: UploadLimits) -> PayloadTooLargeError:
    return PayloadTooLargeError(
        f"The upload is larger than {limits.max_bytes / GIGABYTE:g} GB.",
        field="video",
        hint="Submit a file in a media root by its path, or ask for a higher limit.",
    )


def _write_all(file: BinaryIO, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[file.write(view) :]
