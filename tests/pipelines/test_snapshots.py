"""Frames out of the middle of a video are the right ones, jumped to or not."""

from collections.abc import Callable, Sequence
from pathlib import Path

import av
import numpy as np
import pytest

from pipelines.media import probe
from pipelines.snapshots import snapshots


def numbered(count: int) -> list[np.ndarray]:
    """Frames that tell their number by the brightness of six fields, one per bit."""
    return [
        np.repeat([[255 * (number >> bit & 1) for bit in range(6)]], 36, axis=0)
        .repeat(10, axis=1)[:, :, None]
        .repeat(3, axis=2)
        .astype(np.uint8)
        for number in range(count)
    ]


def read_number(picture: np.ndarray) -> int:
    fields = picture.mean(axis=(0, 2)).reshape(6, -1).mean(axis=1) > 128
    return int((fields << np.arange(6)).sum())


def taken(path: Path, times: Sequence[float]) -> list[int]:
    return [read_number(picture) for picture in snapshots(probe(path), times, (60, 36))]


@pytest.mark.parametrize("rotation", [0, 180])
def test_they_are_the_frames_at_the_times_asked_for(
    make_video: Callable[..., Path], rotation: int
) -> None:
    path = make_video(
        [frame[:, ::-1] if rotation else frame for frame in numbered(60)], rotation=rotation
    )
    assert taken(path, [0.0, 0.4, 0.41, 1.0, 2.36]) == [0, 10, 10, 25, 59]


def test_times_behind_the_end_give_the_last_frame(make_video: Callable[..., Path]) -> None:
    assert taken(make_video(numbered(10)), [0.2, 5.0, 9.0]) == [5, 9, 9]


def test_a_file_without_an_index_is_read_through(
    make_video: Callable[..., Path], tmp_path: Path
) -> None:
    path = tmp_path / "video.ts"
    with av.open(str(make_video(numbered(60)))) as source, av.open(str(path), "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                target.mux(packet)
    assert taken(path, [0.4, 1.0, 2.0]) == [10, 25, 50]


def test_the_same_time_twice_gives_the_same_frame(make_video: Callable[..., Path]) -> None:
    assert taken(make_video(numbered(20)), [0.4, 0.4]) == [10, 10]


def test_a_held_frame_is_shown_until_the_next_one(make_video: Callable[..., Path]) -> None:
    path = make_video(numbered(4), times=[0.0, 0.04, 5.0, 9.0])
    assert taken(path, [2.5, 4.9, 5.0, 8.9, 9.5]) == [1, 1, 2, 2, 3]
