"""What is made of the sound: the network's segments, and the envelope of the waveform."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import silero_vad
import torch

from pipelines.errors import ModelUnavailableError
from pipelines.speech_activity.config import SpeechActivityConfig
from pipelines.speech_activity.envelope import Envelope
from pipelines.speech_activity.network import SAMPLE_RATE, SpeechNetwork, load_model
from pipelines.speech_activity.segments import Segment, find_segments
from tests.pipelines.speech_activity.sounds import sound


def test_the_segments_are_those_that_the_library_itself_gives() -> None:
    """The library runs its own network window by window, here over one minute in odd pieces."""
    samples = sound([(1, 2.2), (2.5, 4), (10, 14), (29.5, 31), (55, 60)], 60, noise=0.002)
    expected = silero_vad.get_speech_timestamps(
        torch.from_numpy(samples),
        silero_vad.load_silero_vad(onnx=True),
        threshold=0.4,
        min_speech_duration_ms=300,
        min_silence_duration_ms=500,
        speech_pad_ms=100,
    )
    config = SpeechActivityConfig(
        threshold=0.4,
        minimum_speech_seconds=0.3,
        minimum_silence_seconds=0.5,
        padding_seconds=0.1,
    )
    network = SpeechNetwork()
    pieces = np.split(samples, [7, 600, 5_000, 200_001, 200_002, 700_000])
    heard = np.concatenate([*(network.listen(piece) for piece in pieces), network.finish()])
    assert find_segments(heard, samples.size, config) == [
        Segment(part["start"] / SAMPLE_RATE, part["end"] / SAMPLE_RATE) for part in expected
    ]


def test_nothing_to_hear_has_no_segment() -> None:
    assert find_segments(np.zeros(0, np.float32), 0, SpeechActivityConfig()) == []


@pytest.mark.parametrize("length", [0, 1, 15, 1000, 131_072, 1_000_003])
def test_the_envelope_has_the_peaks_of_the_sound_in_bounded_memory(length: int) -> None:
    samples = np.random.default_rng(0).normal(0, 1, length).astype(np.float32)
    envelope = Envelope()
    for piece in np.split(samples, sorted({length // 7, length // 3, length // 3 + 1})):
        envelope.add(piece)
    stride = envelope.stride
    expected = [np.abs(samples[at : at + stride]).max() for at in range(0, length, stride)]
    assert envelope.peaks.tolist() == expected
    assert envelope.samples == length
    assert len(expected) <= 8193


@pytest.mark.parametrize("left", ["nothing", "an empty package"])
def test_a_model_that_is_not_there_is_an_error_with_a_hint(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, left: str
) -> None:
    if left == "an empty package":
        (tmp_path / "silero_vad").mkdir()
        (tmp_path / "silero_vad" / "__init__.py").touch()
    monkeypatch.delitem(sys.modules, "silero_vad")
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    load_model.cache_clear()
    with pytest.raises(ModelUnavailableError) as caught:
        load_model()
    assert "silero-vad" in str(caught.value.hint)


def test_warming_starts_no_thread() -> None:
    script = """
import os
from pipelines.speech_activity import annotate
from pipelines.speech_activity.network import warm
threads = len(os.listdir("/proc/self/task"))
warm()
assert len(os.listdir("/proc/self/task")) == threads
"""
    subprocess.run([sys.executable, "-c", script], check=True, timeout=120)


def test_a_worker_forked_after_warming_finds_the_speech(
    spoken: Callable[..., Path], tmp_path: Path
) -> None:
    script = """
import os, sys
from pathlib import Path
from pipelines.media import probe
from pipelines.progress import Progress
from pipelines.speech_activity.annotate import annotate
from pipelines.speech_activity.config import SpeechActivityConfig
from pipelines.speech_activity.network import warm
warm()
if worker := os.fork():
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(worker, 0)[1]))
findings = annotate(
    probe(Path(sys.argv[1])), SpeechActivityConfig(), Path(sys.argv[2]), Progress()
)
sys.exit(findings.count != 1)
"""
    command = [sys.executable, "-c", script, str(spoken([(1, 3)], 4)), str(tmp_path)]
    subprocess.run(command, check=True, timeout=120)
