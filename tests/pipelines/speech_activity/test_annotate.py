"""Speech is found where it is, and reported as clients read it."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from pipelines.findings import Role
from pipelines.media import probe
from pipelines.progress import Progress
from pipelines.speech_activity.annotate import annotate
from pipelines.speech_activity.config import SpeechActivityConfig
from pipelines.speech_activity.network import SAMPLE_RATE
from tests.pipelines.speech_activity.sounds import music, sound

TOLERANCE = 0.2

Run = Callable[..., SimpleNamespace]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Annotates a file with the given config: `findings`, `folder`, and `turns` of the RTTM."""

    def run(path: Path, *, progress: Progress | None = None, **config: Any) -> SimpleNamespace:
        media = probe(path)
        config_ = SpeechActivityConfig(**config)
        findings = annotate(media, config_, tmp_path, progress or Progress())
        rttm = tmp_path / f"{media.stem}_speech_activity.rttm"
        lines = rttm.read_text().splitlines() if rttm.exists() else []
        turns = [line.split(" ") for line in lines]
        return SimpleNamespace(findings=findings, folder=tmp_path, turns=turns)

    return run


def spans_of(found: SimpleNamespace) -> list[float]:
    """Starts and ends in seconds, one after the other."""
    times = [(float(turn[3]), float(turn[3]) + float(turn[4])) for turn in found.turns]
    return [time for span in times for time in span]


@pytest.mark.parametrize("noise", [0.0, 0.003])
def test_speech_is_found_where_it_was_placed(
    run: Run, spoken: Callable[..., Path], noise: float
) -> None:
    placed = [(1.0, 2.5), (4.2, 7.0), (9.0, 9.8), (33.0, 36.5)]
    found = run(spoken(placed, 40, noise))
    expected = [time for span in placed for time in span]
    assert spans_of(found) == pytest.approx(expected, abs=TOLERANCE)
    assert found.findings.count == 4
    assert found.findings.facts["speech_seconds"] == pytest.approx(8.6, abs=4 * 2 * TOLERANCE)


@pytest.mark.parametrize(
    "samples",
    [
        np.zeros(10 * SAMPLE_RATE, np.float32),
        np.random.default_rng(0).normal(0, 0.1, 10 * SAMPLE_RATE).astype(np.float32),
        0.3 * np.sin(2 * np.pi * 440 * np.arange(10 * SAMPLE_RATE) / SAMPLE_RATE),
        music(10),
    ],
    ids=["silence", "noise", "tone", "music"],
)
def test_where_nobody_speaks_no_speech_is_found(
    run: Run, make_video: Any, samples: np.ndarray
) -> None:
    found = run(make_video([], sound=samples))
    assert found.findings.count == 0
    assert found.findings.notes == []
    assert Role.PREVIEW in [file.role for file in found.findings.files]
    assert not list(found.folder.glob("*.rttm"))
    assert (found.folder / "video_speech_activity.vtt").read_text() == "WEBVTT\n"


def test_a_video_without_sound_completes_and_says_so(run: Run, clips: dict[str, Path]) -> None:
    found = run(clips["carphone"])
    assert found.findings.count == 0
    assert found.findings.notes == ["The file has no sound."]
    assert Role.PREVIEW not in [file.role for file in found.findings.files]


def test_the_demos_voice_is_found_in_its_video(run: Run, sample: Path) -> None:
    starts = [float(turn[3]) for turn in run(sample).turns]
    assert starts[0] == pytest.approx(0.6, abs=TOLERANCE)
    assert len(starts) >= 2


def test_speech_counts_on_the_clock_of_a_video_that_begins_before_it(
    run: Run, spoken: Callable[..., Path]
) -> None:
    images = np.zeros((100, 48, 64, 3), np.uint8)
    found = run(spoken([(1.5, 3.0)], 4, images=images))
    assert spans_of(found) == pytest.approx([1.5, 3.0], abs=TOLERANCE)


@pytest.mark.parametrize("sample_rate", [8_000, 44_100, 48_000])
def test_sound_of_any_sample_rate_is_understood(
    run: Run, make_video: Any, sample_rate: int
) -> None:
    at_16k = sound([(1.0, 3.0)], 4)
    times = np.arange(4 * sample_rate) / sample_rate
    samples = np.interp(times, np.arange(at_16k.size) / SAMPLE_RATE, at_16k).astype(np.float32)
    found = run(make_video([], sound=samples, sample_rate=sample_rate))
    assert spans_of(found) == pytest.approx([1.0, 3.0], abs=TOLERANCE)


@pytest.mark.parametrize("samples", [1, 100, 512, 513, 1600])
def test_a_sound_shorter_than_a_window_works(run: Run, make_video: Any, samples: int) -> None:
    found = run(make_video([], sound=np.full(samples, 0.1, np.float32)))
    assert found.findings.count == 0


def test_the_rttm_has_ten_fields_and_no_space_in_the_file_id(
    run: Run, spoken: Callable[..., Path]
) -> None:
    found = run(spoken([(0.5, 2.0)], 3, name="an odd name é.mp4"))
    (turn,) = found.turns
    assert len(turn) == 10
    assert turn[0] == "SPEAKER"
    assert turn[1]


def test_the_webvtt_has_a_cue_for_each_segment(run: Run, spoken: Callable[..., Path]) -> None:
    found = run(spoken([(0.5, 2.0), (3.0, 4.5)], 6))
    lines = (found.folder / "video_speech_activity.vtt").read_text().splitlines()
    assert lines[0] == "WEBVTT"
    assert sum(" --> " in line for line in lines) == 2


def test_the_waveform_marks_the_speech(run: Run, spoken: Callable[..., Path]) -> None:
    found = run(spoken([(2.5, 7.5)], 10))
    with Image.open(found.folder / "video_speech_activity.png") as image:
        pixels = np.asarray(image.convert("RGB")).astype(int)
    marked = (np.abs(pixels - (86, 180, 233)).max(axis=2) < 3).any(axis=0)
    (columns,) = np.nonzero(marked)
    width = pixels.shape[1]
    assert columns.min() / width == pytest.approx(0.25, abs=0.03)
    assert columns.max() / width == pytest.approx(0.75, abs=0.03)


def test_progress_runs_forward_to_the_end(run: Run, spoken: Callable[..., Path]) -> None:
    fractions: list[float] = []
    run(spoken([(1, 2)], 95), progress=Progress(fractions.append, interval=0))
    assert len(fractions) == 4
    assert fractions == sorted(fractions)
    assert fractions[-1] > 0.95


def test_short_speech_is_left_out_short_pauses_are_bridged_and_ends_are_padded(
    run: Run, spoken: Callable[..., Path]
) -> None:
    path = spoken([(1.0, 1.5), (4.0, 6.0), (6.6, 8.0)], 10)
    assert run(path).findings.count == 3
    found = run(path, minimum_speech_seconds=1.0, minimum_silence_seconds=1.0, padding_seconds=0.5)
    assert spans_of(found) == pytest.approx([3.5, 8.5], abs=TOLERANCE)


def test_sound_that_cannot_be_decoded_is_told_from_none(
    make_video: Callable[..., Path], tmp_path: Path
) -> None:
    picture = np.zeros((48, 64, 3), np.uint8)
    path = make_video([picture] * 10, sound=np.zeros(6400, np.float32), name="video.mkv")
    path.write_bytes(path.read_bytes().replace(b"A_AAC", b"A_NOT"))
    findings = annotate(probe(path), SpeechActivityConfig(), tmp_path, Progress())
    assert findings.notes == ["The file's sound (unknown codec) cannot be decoded."]


def test_the_card_is_read_without_loading_a_model_library() -> None:
    script = """
import sys
from pipelines.speech_activity.card import CARD
assert not {"torch", "onnxruntime", "numpy", "av"} & sys.modules.keys()
"""
    subprocess.run([sys.executable, "-c", script], check=True, timeout=120)
