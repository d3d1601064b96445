"""How a decoded picture is turned and mirrored to be shown as its display matrix says."""

import math
import struct
from dataclasses import dataclass
from typing import Any

import av
from av.sidedata.sidedata import SideDataContainer

_QUARTER = 90
_MATRIX = struct.Struct("=9i")


@dataclass(frozen=True)
class Orientation:
    """One of eight: turned clockwise by `rotation` (0, 90, 180 or 270 degrees), then mirrored, left
    to right, if `mirrored`.
    """

    rotation: int = 0
    mirrored: bool = False

    @property
    def swaps_sides(self) -> bool:
        """Whether width becomes height."""
        return self.rotation % 180 != 0


def orientation_of(frame: av.VideoFrame) -> Orientation:
    """What the frame's display matrix asks for; upright without one."""
    # The frame's own `side_data` would refer back to it, and keep it until garbage is collected.
    side_data: Any = SideDataContainer(frame)  # type: ignore[call-arg]  # missing in its types
    data = side_data.get("DISPLAYMATRIX")
    if data is None:
        return Orientation()
    a, b, _u, c, d, *_rest = _MATRIX.unpack(bytes(data))
    return from_matrix(a, b, c, d)


def from_matrix(a: int, b: int, c: int, d: int) -> Orientation:
    """The orientation of a display matrix (ISO/IEC 14496-12, 6.2.2), as ffmpeg's autorotate has it.

    Angles between two quarter turns are rounded to the nearer one, which is what players can show.
    """
    across, down = math.hypot(a, c), math.hypot(b, d)
    if not across or not down:
        return Orientation()
    turned = math.degrees(math.atan2(b / down, a / across))
    rotation = round(turned / _QUARTER) % 4 * _QUARTER
    mirrored = a * d < b * c
    if mirrored and rotation % 180 == 0:
        rotation = 180 - rotation
    return Orientation(rotation, mirrored)
