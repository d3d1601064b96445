"""Speech is heard on whichever channel it is, however the channels relate to each other."""

from pathlib import Path

import numpy as np
import pytest

from tests.pipelines.truth import base
from tests.pipelines.truth.speaking import Speaking, are_near, listen, spans_in, speak

#: libav's name of the layout, its channels, and the one that speaks.
PLACES = [
    ("stereo", 2, 1),
    ("3 channels", 3, 2),
    ("quad", 4, 3),
    ("4 channels", 4, 2),
    ("5.1", 6, 2),
    ("5.1", 6, 3),
    ("7.1", 8, 7),
    ("12 channels", 12, 9),
    ("16 channels", 16, 15),
]


def silence(channels: int) -> np.ndarray:
    return np.zeros((channels, base.sound().size), np.float32)


@pytest.mark.parametrize(("layout", "channels", "speaker"), PLACES)
def test_speech_on_any_channel_is_heard_and_a_note_says_where(
    tmp_path: Path, layout: str, channels: int, speaker: int
) -> None:
    samples = silence(channels)
    samples[speaker] = base.sound()
    found = listen(speak(tmp_path, Speaking("a.wav", "pcm_s16le", layout=layout), samples))
    assert are_near(spans_in(found), base.SPEECH)
    (note,) = found.notes
    assert note.startswith("The channels disagree about where there is speech: ")
    assert f"channel {speaker + 1} has 2." in note
    assert "channel 1 has 0.0 s" in note


@pytest.mark.parametrize(("first", "second"), [(0, 1), (1, 2), (2, 5)])
def test_channels_that_would_cancel_out_are_heard_and_noted(
    tmp_path: Path, first: int, second: int
) -> None:
    channels = 2 if second == 1 else 6
    samples = silence(channels)
    samples[first], samples[second] = base.sound(), -base.sound()
    layout = "stereo" if channels == 2 else "5.1"
    found = listen(speak(tmp_path, Speaking("a.flac", "flac", layout=layout), samples))
    assert are_near(spans_in(found), base.SPEECH)
    assert found.notes[0].startswith(f"Channel {second + 1} is channel {first + 1} inverted")


def test_speech_is_heard_beside_noise_that_would_cover_it(tmp_path: Path) -> None:
    samples = silence(2)
    samples[0] = np.random.default_rng(0).normal(0, 0.3, samples.shape[1])
    samples[1] = 0.1 * base.sound()
    found = listen(speak(tmp_path, Speaking("a.wav", "pcm_s16le", layout="stereo"), samples))
    assert are_near(spans_in(found), base.SPEECH)


@pytest.mark.parametrize("loudness", [0.03, 0.01, 0.003])
def test_a_very_quiet_channel_is_heard(tmp_path: Path, loudness: float) -> None:
    samples = silence(2)
    samples[1] = loudness * base.sound()
    found = listen(speak(tmp_path, Speaking("a.wav", "pcm_f32le", layout="stereo"), samples))
    assert are_near(spans_in(found), base.SPEECH)


def test_two_people_on_a_channel_each_are_both_heard(tmp_path: Path) -> None:
    samples, half = silence(2), base.sound().size // 2
    samples[0, :half], samples[1, half:] = base.sound()[:half], base.sound()[half:]
    found = listen(speak(tmp_path, Speaking("a.wav", "pcm_s16le", layout="stereo"), samples))
    assert are_near(spans_in(found), base.SPEECH)
    assert found.notes[0].startswith("The channels disagree")


@pytest.mark.parametrize("layout", ["stereo", "5.1"])
def test_channels_that_say_the_same_need_no_note(tmp_path: Path, layout: str) -> None:
    samples = silence(2 if layout == "stereo" else 6) + base.sound()
    found = listen(speak(tmp_path, Speaking("a.wav", "pcm_s16le", layout=layout), samples))
    assert are_near(spans_in(found), base.SPEECH)
    assert found.notes == []


@pytest.mark.parametrize("noise", [0.0, 0.0005, 0.01, 0.3])
def test_nobody_speaks_in_silence_or_noise(tmp_path: Path, noise: float) -> None:
    samples = np.random.default_rng(1).normal(0, 1, silence(2).shape) * noise
    found = listen(speak(tmp_path, Speaking("a.wav", "pcm_s16le", layout="stereo"), samples))
    assert found.count == 0
