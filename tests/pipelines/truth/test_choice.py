"""Of several videos the one is read that a player shows, and a note names the others."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import pytest
from av.stream import Disposition

from pipelines.fitting import Size
from pipelines.frames import frames
from pipelines.media import probe
from pipelines.streams import notes_on_others
from tests.pipelines.truth import base
from tests.pipelines.truth.joining import resized

PREVIEW, WHOLE = Size(80, 60), Size(320, 240)


def two_videos(path: Path, sizes: tuple[Size, Size], default: int | None) -> Path:
    with av.open(str(path), "w", options={"default_mode": "passthrough"}) as container:
        streams: list[Any] = []
        for number, size in enumerate(sizes):
            stream: Any = container.add_stream("libx264", base.RATE)
            stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
            if number == default:
                stream.disposition = Disposition.default
            streams.append(stream)
        for stream, size in zip(streams, sizes, strict=True):
            for number, picture in enumerate(resized(base.pictures()[:10], size)):
                frame = av.VideoFrame.from_ndarray(picture, "rgb24")
                frame.pts, frame.time_base = number, Fraction(1, base.RATE)
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize(
    ("sizes", "default", "read"),
    [
        ((PREVIEW, WHOLE), 1, 1),
        ((PREVIEW, WHOLE), 0, 0),
        ((WHOLE, PREVIEW), 1, 1),
        ((WHOLE, PREVIEW), 0, 0),
        ((PREVIEW, WHOLE), None, 1),
        ((WHOLE, WHOLE), None, 0),
    ],
)
def test_the_default_one_is_read_or_else_the_largest(
    tmp_path: Path, sizes: tuple[Size, Size], default: int | None, read: int
) -> None:
    media = probe(two_videos(tmp_path / "two.mkv", sizes, default))
    assert media.video.index == read
    assert {frame.size for frame in frames(media)} == {sizes[read]}
    assert [stream.read for stream in media.streams] == [read == 0, read == 1]
    (note,) = notes_on_others(media.streams, "video")
    width, height = sizes[1 - read]
    assert "1 more video stream" in note
    assert f"stream {1 - read}, h264, {width}x{height}" in note


def test_where_the_default_one_does_not_decode_another_is_read(tmp_path: Path) -> None:
    path = two_videos(tmp_path / "two.mkv", (WHOLE, PREVIEW), 0)
    path.write_bytes(path.read_bytes().replace(b"V_MPEG4/ISO/AVC", b"V_MPEG4/ISO/NOT", 1))
    media = probe(path)
    assert media.video.index == 1
    assert notes_on_others(media.streams, "video")
