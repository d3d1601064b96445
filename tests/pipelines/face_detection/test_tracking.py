"""A face keeps its number within a shot, and no other face gets it."""

from collections.abc import Iterable

import numpy as np
import pytest

from pipelines.face_detection.decode import Faces
from pipelines.face_detection.tracking import Tracker, Untracked
from pipelines.fitting import Size
from pipelines.frames import Frame


def faces_of(boxes: Iterable[tuple[float, float, float, float]]) -> Faces:
    corners = np.array(list(boxes), np.float32).reshape(-1, 4)
    return Faces(
        corners, np.full(len(corners), 0.9, np.float32), np.zeros((len(corners), 5, 2), np.float32)
    )


def look(time: float, brightness: int = 0) -> Frame:
    return Frame(0, time, 0.0, Size(32, 32), np.full((32, 32, 3), brightness, np.uint8))


@pytest.mark.parametrize("rate", [25, 5, 2])
def test_two_faces_that_cross_keep_their_numbers(rate: int) -> None:
    random, tracker = np.random.default_rng(0), Tracker(rate)
    seen: dict[str, set[int]] = {"right": set(), "left": set()}
    for step in range(8 * rate):
        time = step / rate
        x = {"right": 50 + 80 * time, "left": 700 - 60 * time}
        y = {"right": 100, "left": 160}
        who = list(random.permutation(["right", "left"]))
        boxes = [(x[w], y[w], x[w] + 60, y[w] + 70) for w in who]
        for name, number in zip(who, tracker.update(look(time), faces_of(boxes)), strict=True):
            seen[name].add(int(number))
    assert sorted(map(sorted, seen.values())) == [[1], [2]]


@pytest.mark.parametrize(("away", "numbers"), [(1.0, [1, 1]), (4.0, [1, 2])])
def test_a_face_away_for_a_moment_keeps_its_number_and_for_long_does_not(
    away: float, numbers: list[int]
) -> None:
    tracker, box = Tracker(5), [(10, 10, 50, 60)]
    first = tracker.update(look(0.0), faces_of(box))
    for step in range(1, round(away * 5)):
        assert tracker.update(look(step / 5), faces_of([])).tolist() == []
    assert [*first, *tracker.update(look(away), faces_of(box))] == numbers


def test_after_a_cut_the_face_in_the_same_place_is_another() -> None:
    tracker, box = Tracker(5), faces_of([(10, 10, 50, 60)])
    numbers = [
        tracker.update(look(step / 5, brightness), box).tolist()
        for step, brightness in enumerate([30, 60, 200, 210])
    ]
    assert numbers == [[1], [1], [2], [2]]


def test_untracked_faces_are_counted_on() -> None:
    counter = Untracked()
    assert counter.update(look(0.0), faces_of([(0, 0, 9, 9)] * 2)).tolist() == [1, 2]
    assert counter.update(look(1.0), faces_of([(0, 0, 9, 9)])).tolist() == [3]
