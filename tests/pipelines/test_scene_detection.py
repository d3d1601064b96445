"""Cuts are found where they are, and nowhere else."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import av
import numpy as np
import pytest
import torch
from PIL import Image
from pydantic import ValidationError

from pipelines.findings import Findings, Role
from pipelines.frames import frames
from pipelines.media import probe
from pipelines.outputs.scenes import Scene
from pipelines.progress import Progress
from pipelines.registry.catalog import load_catalog
from pipelines.scene_detection.annotate import annotate
from pipelines.scene_detection.card import CARD
from pipelines.scene_detection.config import SceneDetectionConfig
from pipelines.scene_detection.sheet import draw_sheet

WIDTH, HEIGHT = 192, 108
Piece = tuple[str, int, int]


def texture(seed: int) -> np.ndarray:
    """A smooth coloured pattern, three frames wide so that it can be panned."""
    random = np.random.default_rng(seed)
    coarse = Image.fromarray(random.integers(0, 255, (6, 21, 3), np.uint8))
    return np.asarray(coarse.resize((3 * WIDTH, HEIGHT), Image.Resampling.BICUBIC))


def panned(seed: int, count: int, step: float) -> Iterator[np.ndarray]:
    """`count` frames over which a texture moves by `step` pixels each."""
    pattern = texture(seed)
    for number in range(count):
        left = round(number * step)
        yield pattern[:, left : left + WIDTH]


def scenes_of(folder: Path) -> list[dict[str, float]]:
    (path,) = folder.glob("*_scene_detection.json")
    scenes: list[dict[str, float]] = json.loads(path.read_text())["scenes"]
    return scenes


def run(path: Path, folder: Path, **config: object) -> Findings:
    return annotate(probe(path), SceneDetectionConfig(**config), folder, Progress())


@pytest.fixture(scope="module")
def joined(clips: dict[str, Path], make_video: Callable[..., Path]) -> Callable[..., Path]:
    """Cuts pieces (clip, first frame, number of frames) together."""

    def join(pieces: list[Piece], **options: object) -> Path:
        images = (
            frame.image
            for name, first, count in pieces
            for frame in islice(
                frames(probe(clips[name]), size=(WIDTH, HEIGHT)), first, first + count
            )
        )
        return make_video(images, **options)

    return join


REAL = [
    ("carphone", 0, 73),
    ("bikes", 0, 30),
    ("bigbuckbunny", 0, 61),
    ("bikes", 140, 44),
    ("carphone", 20, 90),
]
REAL_CUTS = [73, 103, 164, 208]


def assert_cuts(scenes: list[dict[str, float]], cuts: list[int]) -> None:
    found = [scene["frame_start"] for scene in scenes[1:]]
    assert len(found) == len(cuts), f"found {found}, expected {cuts}"
    assert np.abs(np.array(found) - cuts).max(initial=0) <= 2


@dataclass(frozen=True)
class Outcome:
    findings: Findings
    folder: Path
    reported: list[float]


@pytest.fixture(scope="module")
def real(joined: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """What is found in REAL, in a file whose name has a space."""
    folder, reported = tmp_path_factory.mktemp("real"), list[float]()
    media = probe(joined(REAL, name="my clip.mp4"))
    progress = Progress(reported.append, interval=0)
    findings = annotate(media, SceneDetectionConfig(), folder, progress)
    return Outcome(findings, folder, reported)


def test_cuts_between_real_clips_are_found(real: Outcome) -> None:
    assert_cuts(scenes_of(real.folder), REAL_CUTS)
    assert (real.findings.count, real.findings.noun) == (5, "scenes")
    assert real.findings.facts["cuts"] == 4
    assert real.findings.facts["frames"] == 298


def test_every_file_named_is_written_and_chapters_match_scenes(real: Outcome) -> None:
    names = [
        "my_clip_scene_detection.json",
        "my_clip_chapters.webvtt",
        "my_clip_scenes.csv",
        "my_clip_scenes_tiers.json",
        "my_clip_scene_detection.png",
    ]
    assert [file.name for file in real.findings.files] == names
    assert sorted(path.name for path in real.folder.iterdir()) == sorted(names)
    chapters = (real.folder / names[1]).read_text()
    assert chapters.startswith("WEBVTT\n")
    assert chapters.count("-->") == 5


def test_progress_runs_to_the_end(real: Outcome) -> None:
    assert real.reported == sorted(real.reported)
    assert real.reported[-1] > 0.95


def test_cuts_between_moving_textures_are_found(
    make_video: Callable[..., Path], tmp_path: Path
) -> None:
    lengths = [40, 25, 80, 33, 120]
    images = (image for seed, count in enumerate(lengths) for image in panned(seed, count, 0.5))
    run(make_video(images), tmp_path)
    assert_cuts(scenes_of(tmp_path), np.cumsum(lengths)[:-1].tolist())


def test_a_dissolve_is_one_cut_inside_it(make_video: Callable[..., Path], tmp_path: Path) -> None:
    before, after = list(panned(1, 52, 0.5)), list(panned(2, 52, 0.5))
    shares = np.linspace(0, 1, 14)[1:-1]
    mixed = [
        (share * new + (1 - share) * old).astype(np.uint8)
        for share, old, new in zip(shares, before[40:], after[:12], strict=True)
    ]
    run(make_video([*before[:40], *mixed, *after[12:]]), tmp_path)
    (_, second) = scenes_of(tmp_path)
    assert 40 <= second["frame_start"] <= 52


@pytest.mark.parametrize("step", [0.0, 0.4, 2.0])
def test_a_still_or_panning_video_is_one_scene(
    make_video: Callable[..., Path], tmp_path: Path, step: float
) -> None:
    run(make_video(panned(7, 160, step)), tmp_path)
    assert_cuts(scenes_of(tmp_path), [])


@pytest.mark.parametrize("name", ["carphone", "bigbuckbunny"])
def test_a_real_clip_without_a_cut_is_one_scene(
    clips: dict[str, Path], tmp_path: Path, name: str
) -> None:
    run(clips[name], tmp_path)
    (scene,) = scenes_of(tmp_path)
    assert (scene["id"], scene["start"], scene["score"]) == (1, 0.0, 1.0)
    assert scene["end"] == pytest.approx(probe(clips[name]).video.duration_seconds, abs=0.001)


def test_scene_times_are_the_videos_own(joined: Callable[..., Path], tmp_path: Path) -> None:
    slow, quick = np.arange(73) * 0.1, 73 * 0.1 + np.arange(30) * 0.02
    path = joined(REAL[:2], times=[*slow, *quick])
    run(path, tmp_path)
    first, second = scenes_of(tmp_path)
    assert first["end"] == second["start"] == pytest.approx(7.3, abs=0.2)
    assert second["end"] == pytest.approx(7.3 + 30 * 0.02, abs=0.05)


def test_one_frame_is_one_scene(make_video: Callable[..., Path], tmp_path: Path) -> None:
    run(make_video([texture(1)[:, :WIDTH]]), tmp_path)
    (scene,) = scenes_of(tmp_path)
    assert (scene["frame_start"], scene["frame_end"]) == (0, 0)
    assert scene["duration"] > 0


def test_sound_alone_completes_with_no_scene_and_says_so(
    clips: dict[str, Path], tmp_path: Path
) -> None:
    path = tmp_path / "sound.m4a"
    with av.open(str(clips["bigbuckbunny"])) as source, av.open(str(path), "w", "mp4") as target:
        stream = target.add_stream_from_template(source.streams.audio[0])
        for packet in source.demux(audio=0):
            if packet.dts is not None:
                packet.stream = stream
                target.mux(packet)
    findings = run(path, tmp_path)
    assert findings.count == 0
    assert findings.notes == ["The file has no video."]
    assert scenes_of(tmp_path) == []
    assert Role.PREVIEW not in [file.role for file in findings.files]


def test_the_contact_sheet_shows_the_middle_of_each_scene(
    make_video: Callable[..., Path], tmp_path: Path
) -> None:
    colours = [(200, 40, 40), (40, 200, 40), (40, 40, 200), (200, 200, 40)]
    images = (
        np.where(texture(9)[:, :WIDTH] > 128, shade, 0).astype(np.uint8)
        for shade in colours
        for _ in range(20)
    )
    findings = run(make_video(images), tmp_path)
    assert findings.count == 4
    with Image.open(tmp_path / findings.files[-1].name) as sheet:
        pixels = np.asarray(sheet).astype(int)
    for shade in colours:
        near = np.abs(pixels - shade).max(axis=2) < 40
        assert near.sum() > 1000


def test_a_sheet_of_very_many_scenes_stays_bounded(
    make_video: Callable[..., Path], tmp_path: Path
) -> None:
    media = probe(make_video(panned(1, 200, 0.5)))
    scenes = [Scene(at, at, at / 25, (at + 1) / 25, 1.0) for at in range(200)]
    draw_sheet(tmp_path / "sheet.png", media, scenes)
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert max(sheet.size) < 2500


def test_the_same_video_gives_the_same_bytes(joined: Callable[..., Path], tmp_path: Path) -> None:
    path = joined(REAL[:2])
    contents = []
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        run(path, tmp_path / name)
        contents.append([file.read_bytes() for file in sorted((tmp_path / name).iterdir())])
    assert contents[0] == contents[1]


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="this machine has no GPU")
def test_on_a_gpu_the_same_cuts_are_found(joined: Callable[..., Path], tmp_path: Path) -> None:
    path, found = joined(REAL), {}
    for device in ("cpu", "cuda"):
        (tmp_path / device).mkdir()
        findings = run(path, tmp_path / device, device=device)
        assert findings.device.startswith(device)
        found[device] = scenes_of(tmp_path / device)
    starts = {device: [scene["frame_start"] for scene in found[device]] for device in found}
    assert starts["cuda"] == starts["cpu"]
    for scene, other in zip(found["cuda"], found["cpu"], strict=True):
        assert scene["score"] == pytest.approx(other["score"], abs=0.02)


def test_the_card_is_in_the_catalog_and_its_memory_grows_with_the_batch() -> None:
    assert load_catalog().cards["scene_detection"] is CARD
    small, large = (SceneDetectionConfig(batch_size=size) for size in (1, 64))
    assert 0 < CARD.gpu_memory(small) < CARD.gpu_memory(large)
    assert CARD.gpu_memory(SceneDetectionConfig(device="cpu")) == 0


@pytest.mark.parametrize("config", [{"threshold": 0}, {"batch_size": 0}, {"treshold": 0.5}])
def test_a_wrong_config_is_refused(config: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        SceneDetectionConfig(**config)
