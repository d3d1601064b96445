"""The boxes of an MP4 (ISO/IEC 14496-12), to say what is wrong with one that cannot be opened."""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

_HEADER = struct.Struct(">I4sQ")
_SHORT_HEADER_LENGTH = 8
_FIRST_BOXES = (b"ftyp", b"mdat", b"free", b"wide", b"skip")
_MOST_BOXES = 1000
_MOST_FRAGMENTS = 200_000


def is_cut_off(path: Path) -> bool:
    """Whether the file starts like an MP4 and holds no whole index (moov)."""
    with path.open("rb") as file:
        boxes = list(_boxes(file, path.stat().st_size))
    return bool(boxes) and boxes[0] in _FIRST_BOXES and b"moov" not in boxes


def _boxes(file: BinaryIO, size: int) -> Iterator[bytes]:
    """The types of the top-level boxes that are wholly inside the file, and of the first one."""
    position = 0
    for _ in range(_MOST_BOXES):
        length, kind = _box(file, position, size)
        cut_off = position + length > size
        if length < _SHORT_HEADER_LENGTH or (cut_off and position > 0):
            return
        yield kind
        position += length


def boxes_end(file: BinaryIO, size: int) -> int:
    """Where the last top-level box ends by its own word, which may be behind the end of the file.

    What follows the boxes and is not one is passed over, except in a file of fragments: there it
    is content that cannot be reached.
    """
    position, is_fragmented = 0, False
    for _ in range(_MOST_FRAGMENTS):
        if position + _SHORT_HEADER_LENGTH > size:
            return position
        length, kind = _box(file, position, size)
        if length < _SHORT_HEADER_LENGTH or not kind.isascii() or b"\0" in kind:
            return size + 1 if is_fragmented else size
        is_fragmented |= kind == b"moof"
        position += length
    return size


def _box(file: BinaryIO, position: int, size: int) -> tuple[int, bytes]:
    """Length and type of the box at a position; a length of 0 in the file means to its end."""
    file.seek(position)
    header = file.read(_HEADER.size).ljust(_HEADER.size, b"\0")
    length, kind, long_length = _HEADER.unpack(header)
    return {0: size - position, 1: long_length}.get(length, length), kind
