"""Faces for tests: real ones, and looks at the video that say what is in them."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from pipelines.face_detection.decode import Faces
from pipelines.face_detection.sighting import Sighting
from pipelines.fitting import Size
from pipelines.frames import frames
from pipelines.media import probe


@pytest.fixture(scope="session")
def portraits(clips: dict[str, Path]) -> list[np.ndarray]:
    """Eight frames of a talking head, half a second apart."""
    return [frame.image for frame in frames(probe(clips["carphone"]), rate=2)]


@pytest.fixture(scope="session")
def sighting() -> Callable[..., Sighting]:
    """Makes a look at `time` at faces with the given numbers, all of 10x10 pixels at `x`."""

    def make(time: float, numbers: list[int], x: float = 0.0) -> Sighting:
        faces = Faces(
            np.full((len(numbers), 4), (x, 0, x + 10, 10), np.float32),
            np.full(len(numbers), 0.9, np.float32),
            np.zeros((len(numbers), 5, 2), np.float32),
        )
        return Sighting(round(time * 25), time, Size(100, 100), faces, np.array(numbers, np.int32))

    return make
