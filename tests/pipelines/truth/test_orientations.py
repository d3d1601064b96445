"""All eight orientations, with square and other pixels, are shown as ffmpeg's autorotate does."""

from fractions import Fraction
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from pipelines.fitting import Size
from pipelines.frames import frames
from pipelines.media import probe
from pipelines.orientation import Orientation
from pipelines.snapshots import snapshots
from tests.pipelines.truth import base
from tests.pipelines.truth.reference import pictures_of
from tests.pipelines.truth.wrapping import Wrapping, wrap

MATRICES = {
    (1, 0, 0, 1): Orientation(0),
    (0, 1, -1, 0): Orientation(90),
    (-1, 0, 0, -1): Orientation(180),
    (0, -1, 1, 0): Orientation(270),
    (-1, 0, 0, 1): Orientation(0, mirrored=True),
    (0, 1, 1, 0): Orientation(90, mirrored=True),
    (1, 0, 0, -1): Orientation(180, mirrored=True),
    (0, -1, -1, 0): Orientation(270, mirrored=True),
}
ASPECTS = [None, Fraction(4, 3), Fraction(3, 4), Fraction(64, 45)]


@pytest.mark.parametrize(("matrix", "aspect"), [*product(MATRICES, ASPECTS)])
def test_a_picture_is_turned_and_mirrored_as_ffmpeg_does(
    tmp_path: Path, matrix: tuple[int, int, int, int], aspect: Fraction | None
) -> None:
    path = wrap(tmp_path, Wrapping(matrix=matrix, aspect=aspect), pictures=base.pictures()[:2])
    media = probe(path)
    square = Size(round(base.WIDTH * (aspect or 1)), base.HEIGHT)
    expected = MATRICES[matrix]
    size = Size(*reversed(square)) if expected.swaps_sides else square
    assert media.video.size == size
    assert (media.video.rotation, media.video.mirrored) == (expected.rotation, expected.mirrored)
    (judged, _) = pictures_of(path, *size)
    (first, _) = frames(media)
    (snapshot,) = snapshots(media, [0.0], size)
    for picture in (first.image, snapshot):
        assert np.abs(picture.astype(int) - judged).mean() < 4


@pytest.mark.parametrize("name", ["clip.mov", "clip.mkv"])
def test_other_containers_tell_the_orientation_too(tmp_path: Path, name: str) -> None:
    path = wrap(tmp_path, Wrapping(name, matrix=(0, 1, -1, 0)), pictures=base.pictures()[:2])
    (judged, _) = pictures_of(path, base.HEIGHT, base.WIDTH)
    (first, _) = frames(probe(path))
    assert first.size == (base.HEIGHT, base.WIDTH)
    assert np.abs(first.image.astype(int) - judged).mean() < 4
