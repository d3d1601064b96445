"""Whether a file was cut off, by what its own structure says of its length."""

import struct
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from pipelines.mp4 import boxes_end

_EBML, _SEGMENT = 0x1A45DFA3, 0x18538067
#: What programs that cannot go back to fill in a length write instead, and more.
_UNKNOWN_RIFF = 0x7FFFF000
_RIFF_HEADER = struct.Struct("<4sI")
_TS_PACKETS = (188, 192, 204)
_FLV_TAG_HEADER = 11
#: An Ogg page has a header of 27 bytes, up to 255 sizes and what they add up to (RFC 3533).
_OGG_HEADER, _OGG_LONGEST_PAGE, _OGG_FLAGS, _OGG_END = 27, 65_307, 5, 4


def missing_bytes(path: Path, format_name: str) -> int:
    """How many bytes, at least, the file lacks; 0 where its structure does not say that it does.

    `format_name` is libavformat's.
    """
    length = next((find for name, find in _LENGTHS.items() if name in format_name.split(",")), None)
    if length is None:
        return 0
    size = path.stat().st_size
    with path.open("rb") as file:
        return max(0, length(file, size) - size)


def _matroska_length(file: BinaryIO, size: int) -> int:
    """The end of the segment (RFC 9559), if its size is known."""
    if _read_id(file) != _EBML:
        return size
    header = _read_size(file)
    if header is None:
        return size
    file.seek(header, 1)
    if _read_id(file) != _SEGMENT:
        return size
    segment = _read_size(file)
    return size if segment is None else file.tell() + segment


def _read_id(file: BinaryIO) -> int:
    return int.from_bytes(file.read(4))


def _read_size(file: BinaryIO) -> int | None:
    """A variable-size integer (RFC 8794); None for the unknown size and for what is none."""
    first = file.read(1)
    if not first or first[0] == 0:
        return None
    length = 9 - first[0].bit_length()
    value = int.from_bytes(first + file.read(length - 1)) & ((1 << 7 * length) - 1)
    return None if value == (1 << 7 * length) - 1 else value


def _riff_length(file: BinaryIO, size: int) -> int:
    """The end of the last of the file's RIFF chunks; large AVI files have several."""
    position = 0
    while position + _RIFF_HEADER.size <= size:
        file.seek(position)
        kind, length = _RIFF_HEADER.unpack(file.read(_RIFF_HEADER.size))
        if kind != b"RIFF" or length >= _UNKNOWN_RIFF:
            return size
        position += _RIFF_HEADER.size + length + length % 2
    return position - 1 if position == size + 1 else position


def _ts_length(_file: BinaryIO, size: int) -> int:
    if any(size % length == 0 for length in _TS_PACKETS):
        return size
    return size + -size % _TS_PACKETS[0]


def _ogg_length(file: BinaryIO, size: int) -> int:
    """The end of the last page, and something more unless that page ends its stream."""
    start = max(0, size - _OGG_LONGEST_PAGE)
    file.seek(start)
    tail = file.read()
    place = tail.rfind(b"OggS")
    header = tail[place : place + _OGG_HEADER]
    if place < 0 or len(header) < _OGG_HEADER:
        return size + 1
    sizes = tail[place + _OGG_HEADER :][: header[-1]]
    end = start + place + _OGG_HEADER + header[-1] + sum(sizes)
    return max(end, size if header[_OGG_FLAGS] & _OGG_END else size + 1)


def _flv_length(file: BinaryIO, size: int) -> int:
    """The end of the file, and something more unless a whole tag is there: each is followed by its
    size (Adobe Flash Video File Format Specification 10.1, annex E.3).
    """
    file.seek(max(0, size - 4))
    tag = int.from_bytes(file.read(4))
    file.seek(max(0, size - 4 - tag))
    header = file.read(_FLV_TAG_HEADER)
    whole = len(header) == _FLV_TAG_HEADER and tag == _FLV_TAG_HEADER + int.from_bytes(header[1:4])
    return size if whole else size + 1


_LENGTHS: dict[str, Callable[[BinaryIO, int], int]] = {
    "mov": boxes_end,
    "matroska": _matroska_length,
    "wav": _riff_length,
    "avi": _riff_length,
    "mpegts": _ts_length,
    "ogg": _ogg_length,
    "flv": _flv_length,
}
