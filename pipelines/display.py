"""From a decoded frame to the picture that a player shows."""

from typing import Any

import av
import numpy as np
import numpy.typing as npt
from av.video.reformatter import VideoReformatter

from pipelines.media import VideoStream


class Display:
    """Scales frames to `size` = (width, height) and turns them as `video` says; makes them RGB."""

    def __init__(self, video: VideoStream, size: tuple[int, int]) -> None:
        self._turns = -video.rotation // 90 % 4
        self._stored_size = size[::-1] if self._turns % 2 else size
        self._reformatter = VideoReformatter()

    def show(self, frame: av.VideoFrame) -> npt.NDArray[np.uint8]:
        """The picture, (height, width, 3) uint8. Pictures are scaled before they are turned."""
        width, height = self._stored_size
        scaled = self._reformatter.reformat(frame, width, height, format="rgb24", threads=1)
        picture: Any = scaled.to_ndarray()
        return np.ascontiguousarray(np.rot90(picture, self._turns))
