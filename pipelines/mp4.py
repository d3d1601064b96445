"""The boxes of an MP4 (ISO/IEC 14496-12), to say what is wrong with one that cannot be opened."""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

_HEADER = struct.Struct(">I4sQ")
_SHORT_HEADER_LENGTH = 8
_FIRST_BOXES = (b"ftyp", b"mdat", b"free", b"wide", b"skip")
_MOST_BOXES = 1000


def is_cut_off(path: Path) -> bool:
    """Whether the file starts like an MP4 and holds no whole index (moov)."""
    with path.open("rb") as file:
        boxes = list(_boxes(file, path.stat().st_size))
    return bool(boxes) and boxes[0] in _FIRST_BOXES and b"moov" not in boxes


def _boxes(file: BinaryIO, size: int) -> Iterator[bytes]:
    """The types of the top-level boxes that are wholly inside the file, and of the first one."""
    position = 0
    for _ in range(_MOST_BOXES):
        file.seek(position)
        length, kind, long_length = _HEADER.unpack(
            file.read(_HEADER.size).ljust(_HEADER.size, b"\0")
        )
        length = {0: size - position, 1: long_length}.get(length, length)
        cut_off = position + length > size
        if length < _SHORT_HEADER_LENGTH or (cut_off and position > 0):
            return
        yield kind
        position += length
