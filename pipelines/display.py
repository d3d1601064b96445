"""From decoded frames to the pictures that a player shows."""

from typing import Any

import av
import numpy as np
import numpy.typing as npt
from av.video.reformatter import VideoReformatter

from pipelines.fitting import Size
from pipelines.orientation import Orientation, orientation_of


class Display:
    """Scales frames, turns and mirrors each as it asks for, and makes them RGB."""

    def __init__(self) -> None:
        self._reformatter = VideoReformatter()

    def show(self, frame: av.VideoFrame, size: Size) -> npt.NDArray[np.uint8]:
        """The picture in `size`, aspect or not: (height, width, 3) uint8.

        It is scaled before it is turned, which is less work where it becomes smaller.
        """
        orientation = orientation_of(frame)
        width, height = size[::-1] if orientation.swaps_sides else size
        scaled = self._reformatter.reformat(frame, width, height, format="rgb24", threads=1)
        picture: Any = scaled.to_ndarray()
        return _turned(picture, orientation)


def centred(image: npt.NDArray[np.uint8], room: tuple[int, int]) -> npt.NDArray[np.uint8]:
    """`image`, (height, width, 3), in the middle of a black picture as large as `room`."""
    height, width, _ = image.shape
    if (width, height) == room:
        return image
    across, down = room
    left, top = (across - width) // 2, (down - height) // 2
    canvas = np.zeros((down, across, 3), np.uint8)
    canvas[top : top + height, left : left + width] = image
    return canvas


def _turned(picture: npt.NDArray[np.uint8], orientation: Orientation) -> npt.NDArray[np.uint8]:
    turned = np.rot90(picture, -orientation.rotation // 90)
    return np.ascontiguousarray(turned[:, ::-1] if orientation.mirrored else turned)
