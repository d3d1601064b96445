"""Speech is found when a player plays it, whatever carries the sound."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from pipelines.media import probe
from tests.pipelines.truth import base
from tests.pipelines.truth.speaking import (
    Speaking,
    are_near,
    encode,
    listen,
    spans_in,
    speak,
)

SOUNDS = [
    Speaking("a.m4a", "aac"),
    Speaking("a.mp4", "aac", 48_000, "stereo"),
    Speaking("a.mov", "pcm_s16le", 44_100, "stereo"),
    Speaking("a.mkv", "libopus", 48_000, "stereo"),
    Speaking("a.mka", "flac", 96_000, "5.1"),
    Speaking("a.webm", "libopus", 48_000),
    Speaking("a.ts", "ac3", 48_000, "5.1"),
    Speaking("mp2.ts", "mp2", 48_000, "stereo"),
    Speaking("a.avi", "libmp3lame", 44_100, "stereo"),
    Speaking("a.flv", "libmp3lame", 44_100),
    Speaking("a.mp3", "libmp3lame", 22_050),
    Speaking("a.wav", "pcm_u8", 8_000),
    Speaking("f32.wav", "pcm_f32le", 48_000, "7.1"),
    Speaking("alaw.wav", "pcm_alaw", 8_000),
    Speaking("a.flac", "flac", 48_000, "quad"),
    Speaking("a.opus", "libopus", 48_000),
    Speaking("a.aac", "aac", 44_100),
    Speaking("a.ac3", "ac3", 48_000, "stereo"),
    Speaking("a.aiff", "pcm_s16be", 16_000),
    Speaking("a.au", "pcm_s16be", 16_000),
    Speaking("late.mkv", "aac", start=2.0),
    Speaking("late.ts", "aac", 48_000, start=2.0),
]


@pytest.mark.parametrize("sound", SOUNDS, ids=lambda sound: sound.name)
def test_speech_is_found_at_its_time_and_nothing_is_noted(tmp_path: Path, sound: Speaking) -> None:
    channels = av.AudioLayout(sound.layout).nb_channels
    found = listen(speak(tmp_path, sound, np.tile(base.sound(), (channels, 1))))
    assert are_near(spans_in(found), base.SPEECH)
    assert found.notes == []


@pytest.mark.parametrize("codec", ["aac", "libmp3lame", "ac3"])
@pytest.mark.parametrize(("first", "second"), [(48_000, 32_000), (32_000, 48_000)])
def test_times_run_on_where_the_rate_and_the_channels_change(
    tmp_path: Path, codec: str, first: int, second: int
) -> None:
    suffix = {"libmp3lame": "mp3"}.get(codec, codec)
    quiet = {"write_xing": "0", "id3v2_version": "0"} if suffix == "mp3" else {}
    parts = [
        Speaking(f"{number}.{suffix}", codec, rate, layout, muxing=quiet)
        for number, (rate, layout) in enumerate([(first, "stereo"), (second, "mono")])
    ]
    samples = [np.tile(base.sound(), (2, 1)), base.sound()[None]]
    path = tmp_path / f"changed.{suffix}"
    contents = [speak(tmp_path, *pair).read_bytes() for pair in zip(parts, samples, strict=True)]
    path.write_bytes(b"".join(contents))
    found = listen(path)
    later = [(start + base.SECONDS, end + base.SECONDS) for start, end in base.SPEECH]
    assert are_near(spans_in(found), [*base.SPEECH, *later], tolerance=0.3)
    assert probe(path).duration_seconds == pytest.approx(2 * base.SECONDS, abs=0.2)


def test_pauses_of_hours_cost_nothing_and_are_noted(tmp_path: Path) -> None:
    path, hour = tmp_path / "hours.mka", 3600
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", 16_000, layout="mono")
        for place in range(10):
            ones = np.full((1, 160), 100, np.int16)
            frame = av.AudioFrame.from_ndarray(ones, "s16", "mono")
            frame.sample_rate, frame.time_base = 16_000, Fraction(1, 16_000)
            frame.pts = place * 29 * hour * 16_000
            container.mux(stream.encode(frame))
    found = listen(path)
    assert found.count == 0
    assert found.notes[0].startswith("The sound pauses: there is none in 9 places, 260:59:59")


def test_speech_behind_a_pause_of_hours_is_found_there(tmp_path: Path) -> None:
    path, later = tmp_path / "later.mka", 7200.0
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", 16_000, layout="mono")
        for start in (0.0, later):
            for frame in _frames(start):
                container.mux(stream.encode(frame))
    found = listen(path)
    behind = [(start + later, end + later) for start, end in base.SPEECH]
    assert are_near(spans_in(found), [*base.SPEECH, *behind])


def _frames(start: float) -> list[av.AudioFrame]:
    samples = (base.sound() * 32_767).astype(np.int16)
    frames = []
    for place in range(0, samples.size, 1600):
        frame = av.AudioFrame.from_ndarray(samples[None, place : place + 1600], "s16", "mono")
        frame.sample_rate, frame.time_base = 16_000, Fraction(1, 16_000)
        frame.pts = round(start * 16_000) + place
        frames.append(frame)
    return frames


def test_the_track_that_is_marked_as_default_is_heard_and_the_others_are_named(
    tmp_path: Path,
) -> None:
    path = tmp_path / "tracks.mkv"
    with av.open(str(path), "w") as container:
        tracks = [container.add_stream("flac", 16_000, layout="mono") for _ in range(4)]
        for number, track in enumerate(tracks):
            track.disposition = av.stream.Disposition.default if number == 2 else 0
        for number, track in enumerate(tracks):
            samples = base.sound() if number == 2 else np.zeros_like(base.sound())
            encode(container, track, samples[None])
    found = listen(path)
    assert are_near(spans_in(found), base.SPEECH)
    (note,) = found.notes
    assert note.startswith("The file has 3 more audio tracks, which this result leaves out: ")
