"""The sample has something in it for every pipeline."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from pipelines import clips as clips_module
from pipelines.clips import clip
from pipelines.errors import MediaError
from pipelines.media import probe
from pipelines.sample import PIECES
from tests.pipelines.hearing import heard


def test_it_is_a_video_with_sound_that_players_play(sample: Path) -> None:
    media = probe(sample)
    assert (media.video.width, media.video.height, media.video.frame_rate) == (640, 360, 25)
    assert media.duration_seconds == pytest.approx(sum(piece.seconds for piece in PIECES), abs=0.1)
    assert media.audio is not None


def test_a_voice_is_heard_when_the_pieces_say_so_and_silence_else(sample: Path) -> None:
    sound = heard(probe(sample))
    start, end = PIECES[0].speech
    assert np.abs(sound[round((start + 0.1) * 16_000) : round((end - 0.1) * 16_000)]).max() > 0.1
    assert np.abs(sound[: round((start - 0.1) * 16_000)]).max() < 0.01
    assert np.abs(sound[5 * 16_000 : 13 * 16_000]).max() < 0.01


def test_it_is_built_by_a_command(tmp_path: Path) -> None:
    path = tmp_path / "sample.mp4"
    subprocess.run([sys.executable, "-m", "pipelines.sample", str(path)], check=True, timeout=120)
    assert probe(path).video.frame_count == round(25 * sum(piece.seconds for piece in PIECES))
    assert list(tmp_path.iterdir()) == [path]


def test_without_the_clips_the_error_says_how_to_get_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clips_module, "_PACKAGE", "a_package_that_is_not_installed")
    with pytest.raises(MediaError, match="bikes is not installed") as caught:
        clip("bikes")
    assert "make setup" in caught.value.hint
