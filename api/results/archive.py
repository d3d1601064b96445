"""A job's ZIP: stored, not compressed (video does not shrink), written while it is sent, and its
length known before the first byte.
"""

import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO, RawIOBase
from typing import BinaryIO

from contracts.checked_file import CheckedFile

_PIECE_BYTES = 1024**2
#: Where zipfile turns to ZIP64: at this size or offset.
_ZIP64_LIMIT = zipfile.ZIP64_LIMIT
_EARLIEST = datetime(1980, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Entry:
    """A file of the archive: one on the disk, or the bytes themselves."""

    name: str
    size_bytes: int
    source: CheckedFile | bytes


def archive_size(entries: Sequence[Entry]) -> int:
    """How many bytes `stream_archive` yields.

    Per file a local header, the content, a data descriptor and an entry in the directory; at
    the end the directory's own record. Sizes from the ZIP specification (APPNOTE 4.3).
    """
    position = directory = 0
    for entry in entries:
        name = len(entry.name.encode())
        is_large = _is_large(entry)
        extra = 8 * (2 * (entry.size_bytes > _ZIP64_LIMIT) + (position > _ZIP64_LIMIT))
        directory += 46 + name + (extra + 4 if extra else 0)
        position += 30 + name + (20 if is_large else 0)
        position += entry.size_bytes + (24 if is_large else 16)
    is_long = position > _ZIP64_LIMIT or directory > _ZIP64_LIMIT
    return position + directory + 22 + (76 if is_long else 0)


def stream_archive(entries: Sequence[Entry]) -> Iterator[bytes]:
    """The archive, piece by piece.

    Raises OSError, or ValueError when a file is not as long as its entry says: the length has
    been promised by then.
    """
    pipe = _Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_STORED) as archive:
        for entry in entries:
            with _opened(entry) as content, archive.open(_info(entry), "w") as member:
                for piece in _pieces(entry, content):
                    member.write(piece)
                    yield pipe.take()
    yield pipe.take()


class _Pipe(RawIOBase):
    """What zipfile writes, until it is taken. Not seekable, so that zipfile never goes back."""

    def __init__(self) -> None:
        self._waiting: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]  # zipfile writes bytes only
        self._waiting.append(bytes(data))
        return len(data)

    def take(self) -> bytes:
        data = b"".join(self._waiting)
        self._waiting.clear()
        return data


def _is_large(entry: Entry) -> bool:
    """As zipfile decides beforehand, with a margin for content that grows under compression."""
    return entry.size_bytes * 1.05 > _ZIP64_LIMIT


def _info(entry: Entry) -> zipfile.ZipInfo:
    moment = datetime.now(UTC)
    if isinstance(entry.source, CheckedFile):
        moment = datetime.fromtimestamp(entry.source.identity.changed_ns / 1e9, UTC)
    info = zipfile.ZipInfo(entry.name, max(moment, _EARLIEST).timetuple()[:6])
    info.file_size = entry.size_bytes
    info.external_attr = 0o644 << 16
    return info


def _opened(entry: Entry) -> BinaryIO:
    return BytesIO(entry.source) if isinstance(entry.source, bytes) else entry.source.open()


def _pieces(entry: Entry, content: BinaryIO) -> Iterator[bytes]:
    sent = 0
    while piece := content.read(_PIECE_BYTES):
        sent += len(piece)
        yield piece
    if sent != entry.size_bytes:
        raise ValueError(f"{entry.name} changed while it was sent")
