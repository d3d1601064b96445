"""In the annotated video boxes move with the faces."""

from collections.abc import Callable

import pytest

from pipelines.face_detection.sighting import Sighting
from pipelines.face_detection.video import faces_at


def test_a_face_between_two_sightings_moves_in_a_straight_line(
    sighting: Callable[..., Sighting],
) -> None:
    looks = [sighting(0.0, [1], x=0), sighting(1.0, [1], x=40), sighting(2.0, [2], x=0)]
    (face,) = faces_at(0.25, looks)
    assert face.box == pytest.approx((0.1, 0, 0.1, 0.1))
    (leaving,) = faces_at(1.5, looks)
    assert (leaving.number, leaving.box[0]) == (1, pytest.approx(0.4))
    assert faces_at(5.0, looks)[0].number == 2
    assert faces_at(-0.1, looks) == []
