"""Scores become cuts, and cuts become scenes that tile the video."""

import pytest

from pipelines.outputs.scenes import Scene
from pipelines.scene_detection.cuts import Cut, find_cuts, to_scenes


def test_a_run_of_high_scores_is_one_cut_at_its_peak() -> None:
    scores = [0.1, 0.6, 0.9, 0.7, 0.1, 0.1, 0.8, 0.2]
    assert find_cuts(scores, 0.5) == [Cut(2, 0.9), Cut(6, 0.8)]


def test_the_last_frame_cannot_be_before_a_cut() -> None:
    assert find_cuts([0.1, 0.1, 0.9], 0.5) == []


def test_of_two_cuts_too_close_the_surer_stands() -> None:
    times = [number / 10 for number in range(100)]
    scenes = to_scenes(
        [Cut(29, 0.6), Cut(33, 0.9), Cut(59, 0.7)], times, end=10.0, minimum_seconds=1.0
    )
    assert [scene.frame_start for scene in scenes] == [0, 34, 60]
    assert [scene.score for scene in scenes] == [1.0, 0.9, 0.7]


def test_scenes_follow_each_other_without_a_gap() -> None:
    times = [number / 10 for number in range(50)]
    scenes = to_scenes([Cut(9, 0.6), Cut(29, 0.9)], times, end=5.0, minimum_seconds=0)
    assert scenes == [
        Scene(frame_start=0, frame_end=9, start=0.0, end=1.0, score=1.0),
        Scene(frame_start=10, frame_end=29, start=1.0, end=3.0, score=0.6),
        Scene(frame_start=30, frame_end=49, start=3.0, end=pytest.approx(5.0), score=0.9),
    ]


def test_frames_that_share_a_time_make_no_scene_without_length() -> None:
    scenes = to_scenes(
        [Cut(0, 0.9), Cut(2, 0.8)], [0.0, 0.0, 0.0, 1.0], end=1.04, minimum_seconds=0
    )
    assert all(scene.duration > 0 for scene in scenes)


def test_a_cut_shortly_before_the_end_or_after_the_start_stands() -> None:
    times = [number / 10 for number in range(50)]
    scenes = to_scenes([Cut(1, 0.9), Cut(47, 0.8)], times, end=5.0, minimum_seconds=1.0)
    assert [scene.start for scene in scenes] == [0.0, 0.2, 4.8]


def test_the_last_scene_lasts_as_long_as_its_last_frame_is_held() -> None:
    scenes = to_scenes([Cut(1, 0.9)], [0.0, 1.0, 2.0], end=9.0, minimum_seconds=0.4)
    assert [(scene.start, scene.end) for scene in scenes] == [(0.0, 2.0), (2.0, 9.0)]
