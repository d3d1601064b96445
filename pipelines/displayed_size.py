"""How large a player shows the frames of a stream."""

import av
from av.container import InputContainer

from pipelines.decoder_limits import MOST_PIXELS
from pipelines.fitting import Size
from pipelines.orientation import orientation_of
from pipelines.pixel_aspect import PixelAspect


class DisplayedSize:
    """Tells the size of each frame by what the frame says of its own shape and orientation."""

    def __init__(self, container: InputContainer, stream: av.VideoStream) -> None:
        self._aspect = PixelAspect(container, stream)

    def of(self, frame: av.VideoFrame) -> Size:
        """The frame's size after its pixels are made square, by width, and after it is turned."""
        width = max(1, round(frame.width * self._aspect.of(frame)))
        if width * frame.height > MOST_PIXELS:
            width = frame.width
        swaps = orientation_of(frame).swaps_sides
        return Size(frame.height, width) if swaps else Size(width, frame.height)
