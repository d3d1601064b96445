"""Sound comes with all its channels, on the player's clock; a pause costs nothing."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from pipelines.damage import Damage
from pipelines.findings import Coverage
from pipelines.frames import frames
from pipelines.media import probe
from pipelines.sound import audio
from tests.pipelines.hearing import heard

BLACK = np.zeros((48, 64, 3), np.uint8)


def test_a_sound_file_has_no_frames_and_a_silent_video_no_sound(
    clips: dict[str, Path], tmp_path: Path
) -> None:
    path = tmp_path / "tone.wav"
    write_wav(path, np.zeros(8000, np.float32), 8000)
    assert list(frames(probe(path))) == []
    assert list(audio(probe(clips["bikes"]))) == []


def write_wav(path: Path, samples: np.ndarray, sample_rate: int) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", sample_rate, layout="mono")
        frame = av.AudioFrame.from_ndarray((samples[None] * 32767).astype(np.int16), "s16", "mono")
        frame.sample_rate = sample_rate
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def test_sound_comes_in_chunks_of_equal_length(tmp_path: Path) -> None:
    path = tmp_path / "tone.wav"
    tone = 0.5 * np.sin(2 * np.pi * 440 * np.arange(36_000) / 8000).astype(np.float32)
    write_wav(path, tone, 8000)
    chunks = list(audio(probe(path), sample_rate=8000, chunk_seconds=1))
    assert [chunk.samples.shape for chunk in chunks] == [(1, 8000)] * 4 + [(1, 4000)]
    assert [chunk.start for chunk in chunks] == [0, 1, 2, 3, 4]
    assert np.abs(np.concatenate([chunk.mono for chunk in chunks]) - tone).max() < 1e-3


def test_sound_is_resampled_with_all_its_channels(clips: dict[str, Path]) -> None:
    media = probe(clips["bigbuckbunny"])
    (sound,) = audio(media)
    assert sound.samples.dtype == np.float32
    assert len(sound.samples) == 6
    assert len(sound.mono) == pytest.approx(media.audio.duration_seconds * 16_000, abs=400)
    assert 0.05 < np.abs(sound.samples).max() <= 1


def test_sound_that_starts_late_or_has_holes_stays_on_the_clock(tmp_path: Path) -> None:
    path = tmp_path / "late.mkv"
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", 25)
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        speaker = container.add_stream("pcm_s16le", 16_000, layout="mono")
        for number in range(100):
            picture = av.VideoFrame.from_ndarray(BLACK, "rgb24")
            picture.pts, picture.time_base = number, Fraction(1, 25)
            container.mux(video.encode(picture))
        container.mux(video.encode(None))
        for start in (1.0, 3.0):
            ones = np.full((1, 8000), 16_000, np.int16)
            frame = av.AudioFrame.from_ndarray(ones, "s16", "mono")
            frame.sample_rate, frame.time_base = 16_000, Fraction(1, 16_000)
            frame.pts = round(start * 16_000)
            container.mux(speaker.encode(frame))
        container.mux(speaker.encode(None))
    sound = heard(probe(path))
    loud = np.flatnonzero(np.abs(sound) > 0.2) / 16_000
    assert loud.min() == pytest.approx(1.0, abs=0.01)
    assert not ((loud > 1.51) & (loud < 2.99)).any()
    assert loud.max() == pytest.approx(3.5, abs=0.01)


def test_sound_whose_packets_overlap_stays_on_the_clock(tmp_path: Path) -> None:
    path = tmp_path / "overlapping.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", 16_000, layout="mono")
        for number in range(100):
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 1700), np.int16), "s16", "mono")
            frame.sample_rate, frame.time_base = 16_000, Fraction(1, 16_000)
            frame.pts = number * 1600
            container.mux(stream.encode(frame))
    sound = heard(probe(path))
    assert len(sound) == pytest.approx(10 * 16_000, abs=700)


def sound_at(path: Path, starts: Sequence[float]) -> Path:
    """Half a second of sound at each of `starts`, in seconds, in any format for PCM."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", 16_000, layout="mono")
        for start in starts:
            ones = np.full((1, 8000), 16_000, np.int16)
            frame = av.AudioFrame.from_ndarray(ones, "s16", "mono")
            frame.sample_rate, frame.time_base = 16_000, Fraction(1, 16_000)
            frame.pts = round(start * 16_000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def test_a_pause_of_hours_is_left_out(tmp_path: Path) -> None:
    media = probe(sound_at(tmp_path / "hole.mkv", [0, 4 * 3600]))
    chunks = list(audio(media))
    assert [chunk.start for chunk in chunks] == pytest.approx([0, 4 * 3600], abs=0.01)
    assert [len(chunk.mono) for chunk in chunks] == pytest.approx([8000, 8000], abs=50)


def test_a_pause_counts_as_silence_and_is_noted(tmp_path: Path) -> None:
    damage = Damage()
    list(audio(probe(sound_at(tmp_path / "pause.mkv", [0, 3])), damage=damage))
    assert damage.coverage == Coverage(complete=True, seconds=3.5)
    assert damage.notes == [
        "The sound pauses: there is none from 0:00.5 to 0:03.0. It counts as silence."
    ]


def test_a_rate_that_carries_no_voice_is_left_out_with_a_note(tmp_path: Path) -> None:
    path, damage = tmp_path / "slow.wav", Damage()
    write_wav(path, np.full(4000, 0.5, np.float32), 1)
    assert list(audio(probe(path), damage=damage)) == []
    assert damage.notes == ["Sound with 1 samples a second was left out: no voice can be in it."]


def test_sound_that_begins_behind_the_end_of_the_video_is_heard_there(tmp_path: Path) -> None:
    path = tmp_path / "late.mp4"
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", 25)
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        speaker = container.add_stream("aac", 16_000, layout="mono")
        for number in range(50):
            picture = av.VideoFrame.from_ndarray(BLACK, "rgb24")
            picture.pts, picture.time_base = number, Fraction(1, 25)
            container.mux(video.encode(picture))
        container.mux(video.encode(None))
        tone = 0.5 * np.sin(np.arange(32_000, dtype=np.float32) / 4)
        frame = av.AudioFrame.from_ndarray(tone[None], "fltp", "mono")
        frame.sample_rate, frame.time_base = 16_000, Fraction(1, 16_000)
        frame.pts = 5 * 16_000
        container.mux(speaker.encode(frame))
        container.mux(speaker.encode(None))
    media = probe(path)
    assert media.duration_seconds == pytest.approx(7.0, abs=0.1)
    assert media.video.duration_seconds == pytest.approx(2.0)
    loud = np.flatnonzero(np.abs(heard(media)) > 0.2) / 16_000
    assert loud.min() == pytest.approx(5.0, abs=0.02)
    assert loud.max() == pytest.approx(7.0, abs=0.02)
