"""Scenes and faces are those of the base clip in every container and codec."""

from pathlib import Path

import pytest

from tests.pipelines.truth import base
from tests.pipelines.truth.annotating import faces_in, scenes_in
from tests.pipelines.truth.test_containers import TWO_FRAMES, WRAPPINGS
from tests.pipelines.truth.wrapping import Wrapping, wrap


@pytest.mark.parametrize("wrapping", WRAPPINGS, ids=lambda wrapping: wrapping.name)
def test_scenes_and_faces_are_those_of_the_base_clip(tmp_path: Path, wrapping: Wrapping) -> None:
    path = wrap(tmp_path, wrapping)
    scenes, _ = scenes_in(path, tmp_path / "scenes")
    ends = [*base.CUT_TIMES, base.SECONDS]
    assert [end for _, end in scenes] == pytest.approx(ends, abs=TWO_FRAMES)
    faces, _, _ = faces_in(path, tmp_path / "faces")
    in_sight = [face["timestamp"] for face in faces]
    assert len(in_sight) == pytest.approx(5 * base.FACE_SECONDS[1], abs=1)
    assert max(in_sight) < base.FACE_SECONDS[1] + TWO_FRAMES
