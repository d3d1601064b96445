"""Faces are found, numbered and reported as clients read them."""

import json
import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import av
import numpy as np
import pytest
import torch
from PIL import Image

from pipelines.face_detection.annotate import annotate
from pipelines.face_detection.coco_report import LANDMARKS
from pipelines.face_detection.config import FaceDetectionConfig
from pipelines.findings import Findings, Role
from pipelines.frames import frames
from pipelines.media import probe
from pipelines.progress import Progress

EVERY_FRAME = {"sample_rate": 240.0}

Run = Callable[..., SimpleNamespace]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Annotates a file with the given config: `findings`, `folder`, and the COCO `document`."""

    def run(path: Path, *, progress: Progress | None = None, **config: Any) -> SimpleNamespace:
        media = probe(path)
        findings = annotate(media, FaceDetectionConfig(**config), tmp_path, progress or Progress())
        document = json.loads((tmp_path / f"{media.stem}_face_analysis.json").read_text())
        return SimpleNamespace(findings=findings, folder=tmp_path, document=document)

    return run


def names(findings: Findings) -> list[str]:
    return [file.name for file in findings.files]


def test_a_talking_head_is_one_face_with_one_number_in_every_frame(
    run: Run, clips: dict[str, Path]
) -> None:
    found = run(clips["carphone"], **EVERY_FRAME)
    annotations = found.document["annotations"]
    assert [face["frame_number"] for face in annotations] == list(range(120))
    assert {face["face_id"] for face in annotations} == {1}
    assert found.findings.count == 120
    assert found.findings.facts["tracks"] == 1


def test_boxes_and_landmarks_lie_where_the_face_is(run: Run, clips: dict[str, Path]) -> None:
    """The head leans to and fro in the middle of the picture, 193x144 in square pixels (seen in the
    preview).
    """
    for face in run(clips["carphone"]).document["annotations"]:
        left, top, width, height = face["bbox"]
        assert 33 < left < 77
        assert 25 < top < 45
        assert 47 < width < 62
        assert 52 < height < 68
        assert face["area"] == pytest.approx(width * height, abs=1)
        assert tuple(face["landmarks"]) == LANDMARKS
        points = np.array([*face["landmarks"].values()])
        assert ((points > [left, top]) & (points < [left + width, top + height])).all()
        right_eye, left_eye, nose, right_mouth, left_mouth = points
        assert right_eye[0] < nose[0] < left_eye[0]
        assert right_mouth[0] < left_mouth[0]
        assert max(right_eye[1], left_eye[1]) < nose[1] < min(right_mouth[1], left_mouth[1])


def test_a_cartoon_has_no_face(run: Run, clips: dict[str, Path]) -> None:
    found = run(clips["bigbuckbunny"])
    assert found.document["annotations"] == []
    assert len(found.document["images"]) == 27
    assert found.findings.count == 0
    assert Role.PREVIEW in [file.role for file in found.findings.files]


def test_noise_and_stripes_have_no_face(run: Run, make_video: Any) -> None:
    random = np.random.default_rng(0)
    noise = random.integers(0, 256, (4, 180, 320, 3), dtype=np.uint8)
    stripes = np.zeros((4, 180, 320, 3), np.uint8)
    stripes[:, :, ::16] = stripes[:, ::24] = 255
    found = run(make_video([*noise, *stripes]), **EVERY_FRAME)
    assert len(found.document["images"]) == 8
    assert found.document["annotations"] == []


def test_the_document_is_what_clients_read(run: Run, clips: dict[str, Path]) -> None:
    found = run(clips["carphone"])
    assert list(found.document) == ["info", "annotations", "images", "categories"]
    (category,) = found.document["categories"]
    images = {image["id"]: image for image in found.document["images"]}
    for number, face in enumerate(found.document["annotations"], start=1):
        image = images[face["image_id"]]
        assert face["id"] == number
        assert isinstance(face["image_id"], str)
        assert isinstance(face["face_id"], int)
        assert face["track_id"] == face["face_id"]
        assert face["category_id"] == category["id"]
        assert face["iscrowd"] == 0
        assert 0.5 <= face["score"] <= 1
        assert (image["width"], image["height"]) == (193, 144)
        assert image["frame_number"] == face["frame_number"]
        assert image["timestamp"] == face["timestamp"]
        assert "keypoints" not in face, "clients would take it for a person"


def test_frames_are_looked_at_at_the_given_rate(run: Run, clips: dict[str, Path]) -> None:
    times = [
        image["timestamp"] for image in run(clips["carphone"], sample_rate=2).document["images"]
    ]
    assert times == pytest.approx([0.5 * look for look in range(8)], abs=0.034)


@pytest.mark.parametrize("rotation", [90, 180, 270])
def test_boxes_are_in_displayed_orientation(
    run: Run, make_video: Any, portraits: list[np.ndarray], rotation: int
) -> None:
    upright = run(make_video(portraits, rate=2))
    stored = [np.rot90(image, rotation // 90) for image in portraits]
    turned = run(make_video(stored, rate=2, rotation=rotation))
    assert turned.document["images"][0]["width"] == 193
    assert len(turned.document["annotations"]) == 8
    for face, expected in zip(
        turned.document["annotations"], upright.document["annotations"], strict=True
    ):
        assert face["bbox"] == pytest.approx(expected["bbox"], abs=4)
        points = np.array([*face["landmarks"].values()])
        assert points == pytest.approx(np.array([*expected["landmarks"].values()]), abs=4)


def test_timestamps_are_the_streams_own_where_its_rate_varies(
    run: Run, make_video: Any, portraits: list[np.ndarray]
) -> None:
    times = [0.0, 0.1, 0.5, 1.7, 1.8, 2.9, 3.0, 7.25]
    found = run(make_video(portraits, times=times), **EVERY_FRAME)
    assert [face["timestamp"] for face in found.document["annotations"]] == pytest.approx(times)


def test_a_video_of_one_frame_and_of_odd_size_works(
    run: Run, make_video: Any, portraits: list[np.ndarray]
) -> None:
    found = run(make_video([portraits[0][:143, :175]]), annotated_video=True)
    assert len(found.document["annotations"]) == 1
    image = found.document["images"][0]
    assert (image["width"], image["height"]) == (175, 143)
    roles = [file.role for file in found.findings.files]
    assert roles.count(Role.PREVIEW) == roles.count(Role.VIDEO) == 1


def test_a_large_frame_is_scaled_down_and_its_boxes_back_up(
    run: Run, make_video: Any, portraits: list[np.ndarray]
) -> None:
    small = run(make_video(portraits[:1])).document["annotations"]
    large = np.asarray(Image.fromarray(portraits[0]).resize((1544, 1152)))
    scaled = run(make_video([large]), maximum_side=320).document["annotations"]
    assert [side / 8 for side in scaled[0]["bbox"]] == pytest.approx(small[0]["bbox"], abs=4)


@pytest.mark.parametrize("config", [{"minimum_face_size": 100}, {"threshold": 0.99}])
def test_faces_too_small_or_too_doubtful_are_left_out(
    run: Run, clips: dict[str, Path], config: dict[str, Any]
) -> None:
    assert run(clips["carphone"], sample_rate=2, **config).findings.count == 0


def test_without_tracking_every_face_has_a_number_of_its_own(
    run: Run, clips: dict[str, Path]
) -> None:
    found = run(clips["carphone"], tracking=False)
    annotations = found.document["annotations"]
    assert [face["face_id"] for face in annotations] == list(range(1, 21))
    assert not any("track_id" in face for face in annotations)
    assert not found.findings.table


def test_sound_alone_has_no_face_and_says_why(run: Run, make_video: Any) -> None:
    sound = np.random.default_rng(0).normal(0, 0.1, 16_000).astype(np.float32)
    found = run(make_video([], sound=sound), annotated_video=True)
    assert found.findings.count == 0
    assert found.findings.notes == ["The file has no video."]
    assert found.document["annotations"] == found.document["images"] == []
    roles = {file.role for file in found.findings.files}
    assert roles.isdisjoint({Role.PREVIEW, Role.VIDEO})


def test_every_file_named_is_there_and_no_other(run: Run, clips: dict[str, Path]) -> None:
    found = run(clips["carphone"], annotated_video=True)
    assert names(found.findings) == [
        "carphone_pristine_face_analysis.json",
        "instances_carphone_pristine_faces.json",
        "carphone_pristine_faces.csv",
        "carphone_pristine_faces_tiers.json",
        "carphone_pristine_face_analysis.png",
        "carphone_pristine_face_analysis.mp4",
    ]
    assert sorted(path.name for path in found.folder.iterdir()) == sorted(names(found.findings))


def test_the_preview_shows_six_frames_with_the_face_boxed(run: Run, clips: dict[str, Path]) -> None:
    found = run(clips["carphone"])
    with Image.open(found.folder / "carphone_pristine_face_analysis.png") as image:
        pixels = np.asarray(image.convert("RGB")).astype(int)
    height, width, _ = pixels.shape
    assert width > 3 * 400
    assert height > 2 * 340
    boxed = np.abs(pixels - (86, 180, 233)).max(axis=2) < 3
    assert boxed[: height // 2].sum() > 1000
    assert boxed[height // 2 :].sum() > 1000


def test_the_annotated_video_has_the_frames_and_times_of_the_original(
    run: Run, clips: dict[str, Path]
) -> None:
    found = run(clips["carphone"], annotated_video=True)
    original = [frame.time for frame in frames(probe(clips["carphone"]))]
    with av.open(found.folder / "carphone_pristine_face_analysis.mp4") as container:
        drawn = [frame.time for frame in container.decode(video=0)]
    assert drawn == pytest.approx(original, abs=0.001)


def test_progress_runs_forward_to_the_end(run: Run, clips: dict[str, Path]) -> None:
    fractions: list[float] = []
    run(clips["carphone"], progress=Progress(fractions.append, interval=0), annotated_video=True)
    assert fractions == sorted(fractions)
    assert fractions[-1] > 0.95


def test_progress_runs_on_between_looks_that_are_far_apart(
    run: Run, clips: dict[str, Path]
) -> None:
    fractions: list[float] = []
    found = run(
        clips["carphone"], progress=Progress(fractions.append, interval=0), sample_rate=0.01
    )
    assert len(found.document["images"]) == 1
    assert len(fractions) > 100


def test_the_demos_faces_have_a_number_for_each_shot(run: Run, sample: Path) -> None:
    """The talking head of the first and of the last clip, and the two people on bikes between."""
    spans = [(row["first seen"], row["last seen"]) for row in run(sample).findings.table]
    assert len(spans) == 4
    assert max(last for first, last in spans if first == "0:00.0") < "0:04.0"


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="this machine has no GPU")
def test_on_a_gpu_the_same_faces_are_found(run: Run, clips: dict[str, Path]) -> None:
    expected = run(clips["carphone"], device="cpu").document["annotations"]
    found = run(clips["carphone"], device="cuda")
    assert found.findings.device.startswith("cuda:0 ")
    for face, other in zip(found.document["annotations"], expected, strict=True):
        assert face["bbox"] == pytest.approx(other["bbox"], abs=1)


def test_an_interruption_ends_the_work_and_leaves_no_thread_and_no_file(
    run: Run, clips: dict[str, Path], tmp_path: Path
) -> None:
    def interrupt(_fraction: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(clips["carphone"], progress=Progress(interrupt, interval=0))
    assert not [thread for thread in threading.enumerate() if thread.name == "prefetch"]
    assert list(tmp_path.iterdir()) == []
