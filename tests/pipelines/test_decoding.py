"""Frames come as displayed, at their true times; sound comes as mono on the same clock."""

import os
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest

from pipelines.damage import Damage
from pipelines.frames import frames
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
    assert damage.notes[0].startswith(f"The file is damaged: {damage.packets} packets (")
    assert damage.coverage is not None
    assert not damage.coverage.complete
    assert 3 < damage.coverage.seconds < 4
    assert len(got) > 50
    assert got[-1].time > 3.5
