"""Frames come as displayed, at their true times; sound comes as mono on the same clock."""

import os
import tracemalloc
from collections import Counter
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from pipelines.decoding import Damage, audio, frames
from pipelines.media import probe

BLACK = np.zeros((48, 64, 3), np.uint8)
RED, GREEN, BLUE, WHITE = (220, 30, 30), (30, 200, 30), (30, 30, 220), (235, 235, 235)


@pytest.fixture(scope="module")
def quarters() -> np.ndarray:
    """A picture that looks different whichever way it is turned."""
    picture = np.zeros((48, 64, 3), np.uint8)
    picture[:24, :32], picture[:24, 32:] = RED, GREEN
    picture[24:, :32], picture[24:, 32:] = BLUE, WHITE
    return picture


def greys(count: int) -> list[np.ndarray]:
    """Frames that tell their number by their brightness, eight steps apart."""
    return [np.full((48, 64, 3), 8 * number, np.uint8) for number in range(count)]


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_images_are_turned_as_a_player_shows_them(
    make_video: Callable[..., Path], quarters: np.ndarray, rotation: int
) -> None:
    media = probe(make_video([quarters] * 3, rotation=rotation))
    shown = np.rot90(quarters, -rotation // 90)
    for frame in frames(media):
        assert frame.image.shape == shown.shape
        assert np.abs(frame.image[8:-8, 8:-8].astype(int) - shown[8:-8, 8:-8]).mean() < 8


def test_scaling_is_to_the_size_on_display(
    make_video: Callable[..., Path], quarters: np.ndarray
) -> None:
    media = probe(make_video([quarters] * 2, rotation=90))
    (first, _) = frames(media, size=(20, 30))
    assert first.image.shape == (30, 20, 3)
    assert np.abs(first.image[4, 3].astype(int) - BLUE).max() < 40
    (first, _) = frames(media, max_side=32)
    assert first.image.shape == (32, 24, 3)


def test_max_side_never_enlarges(make_video: Callable[..., Path]) -> None:
    (frame,) = frames(probe(make_video([BLACK])), max_side=640)
    assert frame.image.shape == (48, 64, 3)


@pytest.mark.parametrize("shape", [(35, 51, 3), (1, 1, 3), (2, 333, 3)])
def test_odd_sizes_keep_every_pixel(
    make_video: Callable[..., Path], shape: tuple[int, int, int]
) -> None:
    (frame,) = frames(probe(make_video([np.full(shape, 128, np.uint8)])))
    assert frame.image.shape == shape
    assert np.abs(frame.image.astype(int) - 128).max() < 6


def test_times_are_the_streams_own(make_video: Callable[..., Path]) -> None:
    times = [0.0, 0.04, 0.5, 0.51, 2.0, 7.25]
    media = probe(make_video(greys(6), times=times))
    got = list(frames(media))
    assert [frame.time for frame in got] == pytest.approx(times, abs=1e-4)
    assert [round(frame.image.mean() / 8) for frame in got] == list(range(6))


def test_frames_that_are_left_out_count_and_are_told(make_video: Callable[..., Path]) -> None:
    reached: list[float] = []
    picked = frames(probe(make_video(greys(20))), rate=25 / 6, reached=reached.append)
    assert [frame.index for frame in picked] == [0, 6, 12, 18]
    assert reached == pytest.approx([number / 25 for number in range(20)])


def test_decoding_ends_before_the_next_frame_when_it_is_to_stop(
    make_video: Callable[..., Path],
) -> None:
    media, reached = probe(make_video(greys(20) * 5)), list[float]()
    looks = frames(media, rate=0.01, reached=reached.append, stopped=lambda: len(reached) > 3)
    assert [look.index for look in looks] == [0]
    assert len(reached) < 50


@pytest.mark.parametrize(("rate", "count"), [(10, 20), (12, 24), (25, 50), (1000, 50), (0.4, 1)])
def test_a_rate_holds_on_average(make_video: Callable[..., Path], rate: float, count: int) -> None:
    media = probe(make_video([BLACK] * 50, rate=25))
    assert len(list(frames(media, rate=rate))) == count


def test_a_rate_starts_anew_after_a_gap(make_video: Callable[..., Path]) -> None:
    media = probe(make_video([BLACK] * 6, times=[0.0, 0.1, 0.2, 60.0, 60.1, 60.2]))
    assert [frame.index for frame in frames(media, rate=5)] == [0, 2, 3, 5]


def test_one_frame_is_one_frame(make_video: Callable[..., Path]) -> None:
    assert [frame.time for frame in frames(probe(make_video([BLACK])))] == [0.0]


def test_frames_without_times_follow_each_other(tmp_path: Path, clips: dict[str, Path]) -> None:
    path = tmp_path / "raw.h264"
    with av.open(str(clips["carphone"])) as source, av.open(str(path), "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                target.mux(packet)
    times = [frame.time for frame in frames(probe(path))]
    assert len(times) == 120
    assert times[0] == 0
    assert np.diff(times).min() > 0


def test_damage_is_skipped_counted_and_noted(
    make_video: Callable[..., Path], tmp_path: Path
) -> None:
    random = np.random.default_rng(0)
    images = [random.integers(0, 255, (48, 64, 3), np.uint8) for _ in range(100)]
    content = bytearray(make_video(images).read_bytes())
    middle = len(content) // 2
    content[middle : middle + 20_000] = os.urandom(20_000)
    path = tmp_path / "damaged.mp4"
    path.write_bytes(content)
    damage = Damage()
    got = list(frames(probe(path), damage=damage))
    assert damage.packets > 0
    assert damage.notes == [
        f"The file is damaged: {damage.packets} of its packets could not be decoded."
    ]
    assert len(got) > 50
    assert got[-1].time > 3.5


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
    assert [len(chunk) for chunk in chunks] == [8000, 8000, 8000, 8000, 4000]
    assert np.abs(np.concatenate(chunks) - tone).max() < 1e-3


def test_sound_is_resampled_and_mixed_to_mono(clips: dict[str, Path]) -> None:
    media = probe(clips["bigbuckbunny"])
    sound = np.concatenate(list(audio(media)))
    assert sound.dtype == np.float32
    assert len(sound) == pytest.approx(media.audio.duration_seconds * 16_000, abs=400)
    assert 0.05 < np.abs(sound).max() <= 1


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
    sound = np.concatenate(list(audio(probe(path))))
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
    sound = np.concatenate(list(audio(probe(path))))
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


def test_a_hole_of_hours_is_filled_in_memory_that_does_not_grow_with_it(tmp_path: Path) -> None:
    media = probe(sound_at(tmp_path / "hole.mkv", [0, 4 * 3600]))
    tracemalloc.start()
    try:
        samples = sum(len(chunk) for chunk in audio(media, sample_rate=16_000))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert samples == pytest.approx((4 * 3600 + 0.5) * 16_000, abs=400)
    assert peak < 32 * 2**20


def test_pieces_of_a_chunk_are_counted_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a piece costs does not grow with those that wait: none is looked at again."""
    media, looks = probe(sound_at(tmp_path / "sound.wav", [0])), Counter[int]()

    class Piece(np.ndarray):
        def __len__(self) -> int:
            looks[id(self)] += 1
            return super().__len__()

    pieces = [np.zeros(16, np.float32).view(Piece) for _ in range(200)]
    monkeypatch.setattr("pipelines.decoding._sound", lambda *_: iter(pieces))
    assert [len(chunk) for chunk in audio(media, chunk_seconds=1)] == [3200]
    assert max(looks.values()) <= 2


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
    loud = np.flatnonzero(np.abs(np.concatenate(list(audio(media)))) > 0.2) / 16_000
    assert loud.min() == pytest.approx(5.0, abs=0.02)
    assert loud.max() == pytest.approx(7.0, abs=0.02)
