"""From what the network says to faces."""

import numpy as np
import pytest

from pipelines.face_detection.decode import decode
from pipelines.face_detection.network import Heads


def heads_with(cells: dict[tuple[int, int], float], size: float = 8.0) -> Heads:
    """Heads for one image of 64x64 with a face of `size` cells centred in each of `cells`."""
    heat = np.zeros((1, 1, 16, 16), np.float32)
    for cell, score in cells.items():
        heat[(0, 0, *cell)] = score
    scale = np.full((1, 2, 16, 16), np.log(size), np.float32)
    landmarks = np.full((1, 10, 16, 16), 0.5, np.float32)
    return Heads(heat, scale, np.zeros((1, 2, 16, 16), np.float32), landmarks)


def test_a_warm_cell_is_a_box_centred_in_it() -> None:
    faces = decode(heads_with({(6, 8): 0.7}, size=4), 0, threshold=0.5)
    assert faces.boxes.tolist() == [[26.0, 18.0, 42.0, 34.0]]
    assert faces.landmarks[0].tolist() == [[34.0, 26.0]] * 5
    assert faces.scores.tolist() == pytest.approx([0.7])


def test_of_overlapping_boxes_the_best_stays_and_boxes_end_at_the_picture() -> None:
    cells = {(8, 8): 0.6, (8, 9): 0.9, (9, 8): 0.8, (0, 0): 0.55}
    faces = decode(heads_with(cells), 0, threshold=0.5)
    assert faces.scores.tolist() == pytest.approx([0.9, 0.55])
    assert faces.boxes[1].tolist() == [0.0, 0.0, 18.0, 18.0]


def test_a_picture_all_aglow_is_decoded_without_harm() -> None:
    cells = {(row, column): 0.9 for row in range(16) for column in range(16)}
    faces = decode(heads_with(cells, size=1e30), 0, threshold=0.05)
    assert len(faces) == 1
    assert np.isfinite(faces.boxes).all()
