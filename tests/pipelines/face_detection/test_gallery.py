"""The few frames that show best which faces there are."""

from collections.abc import Callable

import numpy as np

from pipelines.face_detection.gallery import Gallery
from pipelines.face_detection.sighting import Sighting
from pipelines.fitting import Size


def test_the_gallery_stays_small_and_shows_most_faces_first(
    sighting: Callable[..., Sighting],
) -> None:
    gallery = Gallery(Size(30, 30), duration=100.0)
    image = np.zeros((60, 80, 3), np.uint8)
    for look in range(500):
        gallery.offer(image, sighting(look / 5, [look + 1] * (look % 5 == 0)))
    gallery.offer(image, sighting(99.9, [1001, 1002, 1003]))
    shots = gallery.choose(6)
    assert len(gallery._faces) <= 24
    assert len(gallery._slots) <= 12
    assert len(shots) == 6
    assert all(shot.numbers for shot in shots)
    assert [shot.sighting.time for shot in shots] == sorted(shot.sighting.time for shot in shots)
