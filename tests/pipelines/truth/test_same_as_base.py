"""What the networks find in a variant equals what they find in the base clip, transformed alike."""

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from pipelines.fitting import Size
from pipelines.media import probe
from pipelines.snapshots import snapshots
from tests.pipelines.truth import base
from tests.pipelines.truth.annotating import faces_in, scenes_in
from tests.pipelines.truth.joining import join_sizes
from tests.pipelines.truth.wrapping import Wrapping, wrap

Box = Sequence[float]
TWO_FRAMES = 2 / base.RATE + 0.001
FACE_PICTURES = base.pictures()[: base.CUTS[0]]
RAW = {"bf": "0", "crf": "12"}


@pytest.fixture(scope="module")
def base_boxes(tmp_path_factory: pytest.TempPathFactory) -> dict[float, Box]:
    """Where the face is in the base clip, by time."""
    folder = tmp_path_factory.mktemp("base")
    path = wrap(folder, Wrapping(options=RAW), pictures=FACE_PICTURES)
    annotations, _, _ = faces_in(path, folder / "faces")
    return {face["timestamp"]: face["bbox"] for face in annotations}


def mirrored(box: Box) -> Box:
    x, y, width, height = box
    return (base.WIDTH - x - width, y, width, height)


def upside_down(box: Box) -> Box:
    x, y, width, height = box
    return (x, base.HEIGHT - y - height, width, height)


def wide(box: Box) -> Box:
    x, y, width, height = box
    return (x * 4 / 3, y, width * 4 / 3, height)


def assert_same(found: Sequence[float], expected: Sequence[float]) -> None:
    """Within 3 pixels, or 2 % of the picture's width."""
    assert np.abs(np.subtract(found, expected)).max() <= max(3, 0.02 * base.WIDTH * 4 / 3)


@pytest.mark.parametrize(
    ("wrapping", "stored", "transformed"),
    [
        # The picture is stored so that a player, which turns it, shows the base clip again.
        (Wrapping(matrix=(0, 1, -1, 0)), np.rot90, None),
        (Wrapping(matrix=(-1, 0, 0, -1)), lambda picture: picture[::-1, ::-1], None),
        (Wrapping(matrix=(-1, 0, 0, 1)), None, mirrored),
        (Wrapping(matrix=(1, 0, 0, -1)), lambda picture: picture[::-1], None),
        (Wrapping(aspect=Fraction(4, 3)), None, wide),
        (Wrapping("clip.ts", codec="mpeg2video"), None, None),
    ],
    ids=["turned", "turned by 180", "mirrored", "flipped", "wide pixels", "transport stream"],
)
def test_faces_are_where_they_are_in_the_base_clip(
    tmp_path: Path,
    base_boxes: dict[float, Box],
    wrapping: Wrapping,
    stored: Callable[[np.ndarray], np.ndarray] | None,
    transformed: Callable[[Box], Box] | None,
) -> None:
    pictures = [stored(picture) if stored else picture for picture in FACE_PICTURES]
    path = wrap(tmp_path, wrapping, pictures=pictures)
    annotations, _, _ = faces_in(path, tmp_path / "faces")
    found = [face["bbox"] for face in annotations]
    assert len(found) == len(base_boxes)
    for box, expected in zip(found, base_boxes.values(), strict=True):
        assert_same(box, transformed(expected) if transformed else expected)


def test_boxes_are_in_pixels_of_their_own_frame(
    tmp_path: Path, base_boxes: dict[float, Box]
) -> None:
    small, large = Size(160, 120), Size(640, 480)
    path = join_sizes(tmp_path / "clip.webm", "libvpx", ((small, 10), (large, 20)))
    annotations, images, findings = faces_in(path, tmp_path / "faces")
    sizes = {image["id"]: Size(image["width"], image["height"]) for image in images}
    assert set(sizes.values()) == {small, large}
    assert {face["track_id"] for face in annotations} == {1}
    assert len(annotations) == len(images)
    for face in annotations:
        expected = base_boxes[face["timestamp"]]
        scale = sizes[face["image_id"]].width / base.WIDTH
        assert_same([side / scale for side in face["bbox"]], expected)
    assert any("changes its size (160x120, 640x480)" in note for note in findings.notes)


@pytest.mark.parametrize(
    "wrapping",
    [
        Wrapping(),
        Wrapping(matrix=(-1, 0, 0, 1)),
        Wrapping("clip.gif", codec="gif", pixels="rgb8", clock=100),
        Wrapping("raw.h264", format="h264", rate=30, clock=30),
    ],
    ids=lambda wrapping: f"{wrapping.name} {wrapping.matrix or ''}",
)
def test_scenes_are_those_of_the_base_clip(tmp_path: Path, wrapping: Wrapping) -> None:
    scenes, findings = scenes_in(wrap(tmp_path, wrapping), tmp_path / "scenes")
    slower = base.RATE / wrapping.rate
    ends = [time * slower for time in (*base.CUT_TIMES, base.SECONDS)]
    assert [end for _, end in scenes] == pytest.approx(ends, abs=TWO_FRAMES)
    assert findings.notes == []


@pytest.mark.parametrize(
    ("name", "seconds"), [("slides.mp4", 0.5), ("slides.mkv", 2.0), ("slides.gif", 30.0)]
)
def test_slides_have_their_cuts(tmp_path: Path, name: str, seconds: float) -> None:
    slides = [base.pictures()[number] for number in (5, 40, 80)]
    codec, pixels = ("gif", "rgb8") if name.endswith("gif") else ("libx264", "yuv420p")
    wrapping = Wrapping(
        name,
        codec=codec,
        pixels=pixels,
        clock=100,
        times=[number * seconds for number in range(len(slides))],
        last_seconds=seconds,
        options={} if codec == "gif" else {"bf": "0"},
    )
    scenes, _ = scenes_in(wrap(tmp_path, wrapping, pictures=slides), tmp_path / "scenes")
    ends = [seconds, 2 * seconds, 3 * seconds]
    assert [end for _, end in scenes] == pytest.approx(ends, abs=0.1)


def test_a_movement_between_two_slides_is_no_cut(tmp_path: Path, clips: dict[str, Path]) -> None:
    """One picture every two seconds: a man, two streets, and three moments of one shot."""
    wanted = {"carphone": [0.0], "bikes": [0.2, 2.0], "bigbuckbunny": [2.0, 2.4, 2.8]}
    slides = [
        picture
        for name, times in wanted.items()
        for picture in snapshots(probe(clips[name]), times, (base.WIDTH, base.HEIGHT))
    ]
    wrapping = Wrapping(
        "slides.mp4", clock=100, times=[2.0 * number for number in range(6)], options={"bf": "0"}
    )
    scenes, _ = scenes_in(wrap(tmp_path, wrapping, pictures=slides), tmp_path / "scenes")
    assert [start for start, _ in scenes] == pytest.approx([0.0, 2.0, 4.0, 6.0], abs=0.01)
    assert scenes[-1][1] == pytest.approx(12.0, abs=0.01)
