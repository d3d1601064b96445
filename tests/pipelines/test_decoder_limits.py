"""What decoding takes is bounded, whatever the file says and however many cores there are."""

import gc
import os
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest

from pipelines.container import open_container
from pipelines.decoder_limits import check_picture, limit_decoder
from pipelines.errors import MediaError
from pipelines.frames import frames
from pipelines.media import probe
from tests.pipelines.truth.wrapping import Wrapping, wrap


@pytest.mark.parametrize(
    ("width", "height", "form"),
    [
        (65_535, 1023, "bgra"),
        (8192, 8192, "rgba64be"),
        (8193, 8193, "gray"),
        (65_535, 65_535, None),
    ],
)
def test_a_picture_that_takes_too_much_memory_is_refused(
    width: int, height: int, form: str | None
) -> None:
    with pytest.raises(MediaError, match=f"is {width}x{height}.*larger than this can decode"):
        check_picture(width, height, form and av.VideoFormat(form))


@pytest.mark.parametrize(
    ("width", "height", "form"),
    [(8192, 8192, "yuv420p"), (7680, 4320, "yuv420p10le"), (1920, 1080, "rgba64be")],
)
def test_what_cameras_record_is_let_in(width: int, height: int, form: str) -> None:
    check_picture(width, height, av.VideoFormat(form))


def test_a_wide_gif_is_refused_with_the_reason(tmp_path: Path) -> None:
    pictures = [np.zeros((1023, 65_535, 3), np.uint8)]
    wrapping = Wrapping("wide.gif", codec="gif", pixels="rgb8", times=[0.0], last_seconds=1.0)
    with pytest.raises(MediaError, match="65535x1023 with 32 bits per pixel"):
        probe(wrap(tmp_path, wrapping, pictures=pictures))


@pytest.mark.parametrize(("side", "form", "threads"), [(64, "yuv420p", 8), (4096, "rgb24", 5)])
def test_threads_of_a_decoder_are_few_on_a_machine_with_many_cores(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, side: int, form: str, threads: int
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _process: range(256))
    codec, pixels = ("png", form) if form == "rgb24" else ("libx264", form)
    wrapping = Wrapping("clip.mov", codec=codec, pixels=pixels, times=[0.0], last_seconds=0.1)
    path = wrap(tmp_path, wrapping, pictures=[np.zeros((side, side, 3), np.uint8)])
    with open_container(path) as container:
        (stream,) = container.streams.video
        limit_decoder(stream)
        assert stream.codec_context.thread_count == threads


def frames_alive() -> int:
    return sum(type(thing) is av.VideoFrame for thing in gc.get_objects())


def test_frames_are_given_back_as_soon_as_they_were_shown(
    make_video: Callable[..., Path],
) -> None:
    path = make_video([np.zeros((48, 64, 3), np.uint8)] * 50)
    media = probe(path)
    gc.collect()
    before = frames_alive()
    gc.disable()
    try:
        shown = sum(1 for _ in frames(media))
        kept = frames_alive() - before
    finally:
        gc.enable()
    assert shown == 50
    assert kept < 10
