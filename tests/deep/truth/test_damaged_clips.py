"""Clips with picture and sound, damaged in many places: what is missing is told for both."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from pipelines.damage import Damage
from pipelines.errors import MediaError
from pipelines.frames import frames
from pipelines.media import Media, probe
from pipelines.sound import audio
from tests.pipelines.truth import base
from tests.pipelines.truth.wrapping import Wrapping, wrap

FAST = {"deadline": "realtime", "cpu-used": "8"}
CLIPS = [
    Wrapping("a.mp4", speech="aac", muxing={"movflags": "+faststart"}),
    Wrapping("fragmented.mp4", speech="aac", muxing={"movflags": "frag_keyframe+empty_moov"}),
    Wrapping("a.mov", codec="mjpeg", pixels="yuvj420p", speech="aac",
             muxing={"movflags": "+faststart"}),
    Wrapping("a.mkv", speech="aac"),
    Wrapping("a.webm", codec="libvpx", options=FAST, speech="libopus", speech_rate=48_000),
    Wrapping("a.ts", speech="aac", speech_rate=48_000),
    Wrapping("a.avi", codec="mpeg4", speech="libmp3lame", speech_rate=44_100),
    Wrapping("a.flv", speech="aac", speech_rate=44_100),
]  # fmt: skip


def look(media: Media) -> Damage:
    damage = Damage()
    for _ in frames(media, max_side=32, damage=damage):
        pass
    return damage


def hear(media: Media) -> Damage:
    damage = Damage()
    for _ in audio(media, damage=damage):
        pass
    return damage


@pytest.fixture(scope="module", params=CLIPS, ids=lambda clip: clip.name)
def clip(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return wrap(tmp_path_factory.mktemp("whole"), request.param)


@pytest.fixture
def damaged(clip: Path, tmp_path: Path) -> Callable[[bytes], Path]:
    """A copy of the clip with other content."""

    def write(content: bytes) -> Path:
        path = tmp_path / clip.name
        path.write_bytes(content)
        return path

    return write


@pytest.mark.parametrize("read", [look, hear])
def test_a_whole_clip_is_complete_and_has_no_note(
    clip: Path, read: Callable[[Media], Damage]
) -> None:
    damage = read(probe(clip))
    assert damage.notes == []
    assert damage.coverage is not None
    assert damage.coverage.complete
    assert damage.coverage.seconds == pytest.approx(base.SECONDS, abs=0.15)


@pytest.mark.parametrize("share", [0.4, 0.55, 0.7, 0.85])
def test_a_clip_that_is_cut_off_is_not_complete(
    clip: Path, damaged: Callable[[bytes], Path], share: float
) -> None:
    content = clip.read_bytes()
    media = probe(damaged(content[: int(len(content) * share) - 5]))
    least = min((look(media), hear(media)), key=seconds_of)
    assert least.notes
    assert least.coverage is not None
    assert not least.coverage.complete
    assert least.coverage.seconds < base.SECONDS - 0.2


@pytest.mark.parametrize("start", [0.35, 0.5, 0.65])
def test_a_clip_with_a_zeroed_stretch_is_not_complete(
    clip: Path, damaged: Callable[[bytes], Path], start: float
) -> None:
    content = bytearray(clip.read_bytes())
    first, last = int(len(content) * start), int(len(content) * (start + 0.25))
    content[first:last] = bytes(last - first)
    media = probe(damaged(bytes(content)))
    least = min((look(media), hear(media)), key=seconds_of)
    assert least.notes
    assert least.coverage is not None
    assert not least.coverage.complete


@pytest.mark.parametrize("seed", range(6))
def test_flipped_bytes_are_read_over_or_refused(
    clip: Path, damaged: Callable[[bytes], Path], seed: int
) -> None:
    random = np.random.default_rng(seed)
    content = np.frombuffer(clip.read_bytes(), np.uint8).copy()
    places = random.integers(len(content) // 3, len(content), 400)
    content[places] ^= random.integers(1, 256, len(places), np.uint8)
    try:
        media = probe(damaged(content.tobytes()))
    except MediaError:
        return
    for damage in (look(media), hear(media)):
        assert damage.end is not None or media.audio is None


def seconds_of(damage: Damage) -> float:
    return damage.coverage.seconds if damage.coverage else float("inf")
