"""What the network sees of a video, and which frame of the video that was."""

from array import array
from collections.abc import Callable, Iterator, Sequence
from itertools import chain, pairwise

import numpy as np
import numpy.typing as npt

from pipelines.damage import Damage
from pipelines.frames import Frame, end_of
from pipelines.media import Media
from pipelines.scene_detection.cuts import Cut

#: Frames per second of the films that the network was trained on.
_RATE = 25
#: A frame on display for so long is held, as a slide is, and seen as often as a film would show it,
#: up to a second: with more copies the network begins to take a movement for a cut.
_HELD_SECONDS, _MOST_COPIES = 0.3, 25


class Footage:
    """Passes images on to the network and keeps what there is to know of their frames.

    Attributes:
        times: when each frame of the video is shown, in seconds.
        end: when the last one is no longer shown.
        places: for each image that was passed on, the index of its frame.
    """

    def __init__(
        self,
        source: Iterator[Frame],
        media: Media,
        damage: Damage,
        reached: Callable[[float], None],
    ) -> None:
        self.times, self.places, self.end = array("d"), array("L"), 0.0
        self._source, self._media, self._damage = source, media, damage
        self._reached = reached

    def images(self) -> Iterator[npt.NDArray[np.uint8]]:
        """The frames' images in order, those of held frames several times."""
        for frame, following in pairwise(chain(self._source, [None])):
            if frame is None:  # for the types: only the last one is
                return
            self.end = following.time if following else end_of(frame, self._media, self._damage)
            self._reached(frame.time)
            for _ in range(_copies(self.end - frame.time)):
                self.places.append(len(self.times))
                yield frame.image
            self.times.append(frame.time)

    def between_frames(self, cuts: Sequence[Cut]) -> list[Cut]:
        """Cuts between frames of the video for those between images.

        Between two held frames there are several images, so that neighbouring cuts are not one run.
        """
        return [Cut(self.places[cut.frame], cut.score) for cut in cuts]


def _copies(seconds: float) -> int:
    """As how many images a frame counts that is shown for `seconds`."""
    return min(_MOST_COPIES, round(seconds * _RATE)) if seconds >= _HELD_SECONDS else 1
