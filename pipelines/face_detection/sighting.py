"""One look at the video, and what it showed."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipelines.face_detection.decode import Faces
from pipelines.fitting import Size


@dataclass(frozen=True)
class Sighting:
    """The faces in one frame, in pixels of that frame as displayed, which has `size`; `numbers`
    (n,) says which faces they are.

    Frames without a face are sightings too: somebody looked.
    """

    frame: int
    time: float
    size: Size
    faces: Faces
    numbers: npt.NDArray[np.int32]

    @property
    def boxes(self) -> list[tuple[float, float, float, float]]:
        """x, y, width, height of each face."""
        return [(x, y, right - x, bottom - y) for x, y, right, bottom in self.faces.boxes.tolist()]
