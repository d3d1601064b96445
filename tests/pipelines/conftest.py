"""Media for tests: the real clips, and a maker of videos whose every property is known."""

from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, Protocol

import av
import numpy as np
import pytest

from pipelines.clips import clip
from pipelines.sample import build_sample

CLOCK = 90_000
MATRICES = {  # a, b, u, c, d, v of a track header, for degrees clockwise
    0: (1, 0, 0, 0, 1, 0),
    90: (0, 1, 0, -1, 0, 0),
    180: (-1, 0, 0, 0, -1, 0),
    270: (0, -1, 0, 1, 0, 0),
}


class MakeVideo(Protocol):
    def __call__(
        self,
        images: Iterable[np.ndarray],
        *,
        rate: float = 25,
        times: Sequence[float] | None = None,
        rotation: int = 0,
        sound: np.ndarray | None = None,
        sample_rate: int = 16_000,
        name: str = "video.mp4",
    ) -> Path: ...


@pytest.fixture(scope="session")
def clips() -> dict[str, Path]:
    """The real clips by name: carphone, carphone_distorted, bikes, bigbuckbunny."""
    names = ("carphone", "carphone_distorted", "bikes", "bigbuckbunny")
    return {name: clip(name) for name in names}


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_sample(tmp_path_factory.mktemp("sample") / "sample.mp4")


@pytest.fixture(scope="session")
def make_video(tmp_path_factory: pytest.TempPathFactory) -> MakeVideo:
    """Encodes (height, width, 3) RGB images, of any size, as H.264.

    `times` in seconds give each frame its own time, instead of an even `rate`; `rotation` is the
    flag in degrees clockwise that a player must apply; `sound` is mono float32, as AAC.
    """

    def make(
        images: Iterable[np.ndarray],
        *,
        rate: float = 25,
        times: Sequence[float] | None = None,
        rotation: int = 0,
        sound: np.ndarray | None = None,
        sample_rate: int = 16_000,
        name: str = "video.mp4",
    ) -> Path:
        path = tmp_path_factory.mktemp("video") / name
        with av.open(str(path), "w") as container:
            speaker = (
                container.add_stream("aac", sample_rate, layout="mono")
                if sound is not None
                else None
            )
            _encode_images(container, images, rate, times)
            if speaker is not None:
                _encode_sound(container, speaker, sound, sample_rate)
        if rotation:
            _set_rotation(path, rotation)
        return path

    return make


def _encode_images(
    container: Any, images: Iterable[np.ndarray], rate: float, times: Sequence[float] | None
) -> None:
    stream: Any = None
    for index, image in enumerate(images):
        if stream is None:
            stream = container.add_stream(
                "libx264",
                Fraction(rate).limit_denominator(1001),
                options={"preset": "ultrafast", "crf": "15"},
            )
            stream.height, stream.width = image.shape[:2]
            odd = stream.height % 2 or stream.width % 2
            stream.pix_fmt = "yuv444p" if odd else "yuv420p"
            stream.time_base = stream.codec_context.time_base = Fraction(1, CLOCK)
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), "rgb24")
        seconds = index / rate if times is None else times[index]
        frame.pts, frame.time_base = round(seconds * CLOCK), Fraction(1, CLOCK)
        container.mux(stream.encode(frame))
    if stream is not None:
        container.mux(stream.encode(None))


def _encode_sound(container: Any, stream: Any, sound: np.ndarray, sample_rate: int) -> None:
    frame = av.AudioFrame.from_ndarray(sound[None].astype(np.float32), "fltp", "mono")
    frame.sample_rate, frame.pts, frame.time_base = sample_rate, 0, Fraction(1, sample_rate)
    container.mux(stream.encode(frame))
    container.mux(stream.encode(None))


def _set_rotation(path: Path, rotation: int) -> None:
    """Writes the matrix into every track header (ISO/IEC 14496-12, 8.3.2; version 0)."""
    content = bytearray(path.read_bytes())
    unit = (1 << 16, 1 << 16, 1 << 30)
    values = [value * unit[place % 3] for place, value in enumerate(MATRICES[rotation])]
    matrix = b"".join(value.to_bytes(4, signed=True) for value in [*values, 0, 0, unit[2]])
    start = content.find(b"tkhd")
    while start != -1:
        content[start + 44 : start + 44 + len(matrix)] = matrix
        start = content.find(b"tkhd", start + 1)
    path.write_bytes(content)
