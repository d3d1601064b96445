"""Writes the base clip as a file of any container, codec, timing, orientation and pixel aspect."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import numpy as np

from pipelines.speech_sample import SAMPLE_RATE
from tests.pipelines.truth import base

#: A display matrix (ISO/IEC 14496-12, 6.2.2): a, b, u, c, d, v, x, y, w.
Matrix = tuple[int, int, int, int, int, int, int, int, int]

_ONE, _UNIT_W = 1 << 16, 1 << 30


@dataclass(frozen=True)
class Wrapping:
    """How a clip is written; what is left out is as in most files.

    Attributes:
        name: the file's; its suffix decides on the format, where `format` does not.
        times: when each picture is shown, in seconds; one every 1/`rate` seconds without.
        last_seconds: how long the last picture is shown.
        clock: ticks per second of the times in the file.
        matrix: a, b, c, d of the display matrix, each -1, 0 or 1.
        aspect: width of a pixel divided by its height.
        options: of the encoder; `muxing` are those of the container.
        speech: the codec of the sound; without, the file is silent.
    """

    name: str = "clip.mp4"
    format: str | None = None
    codec: str = "libx264"
    pixels: str = "yuv420p"
    rate: int = base.RATE
    times: Sequence[float] | None = None
    last_seconds: float | None = None
    clock: int = base.RATE
    matrix: tuple[int, int, int, int] | None = None
    aspect: Fraction | None = None
    options: Mapping[str, str] = field(default_factory=dict)
    muxing: Mapping[str, str] = field(default_factory=dict)
    speech: str | None = None
    speech_rate: int = SAMPLE_RATE

    @property
    def shown(self) -> list[float]:
        """When each of the base clip's pictures is shown."""
        if self.times is None:
            return [number / self.rate for number in range(base.PICTURES)]
        return list(self.times)


def wrap(
    folder: Path,
    wrapping: Wrapping,
    *,
    pictures: Iterable[np.ndarray] | None = None,
    sound: np.ndarray | None = None,
) -> Path:
    """Writes `pictures` and `sound`, those of the base clip unless others are given."""
    path = folder / wrapping.name
    options = dict(wrapping.muxing)
    with av.open(str(path), "w", format=wrapping.format, options=options) as container:
        shown = list(base.pictures() if pictures is None else pictures)
        stream = _video_stream(container, wrapping, shown[0])
        speaker = None
        if wrapping.speech is not None:
            speaker = container.add_stream(wrapping.speech, wrapping.speech_rate, layout="mono")
        _encode_pictures(container, stream, wrapping, shown)
        if speaker is not None:
            heard = base.sound() if sound is None else sound
            encode_sound(container, speaker, heard, SAMPLE_RATE)
    return path


def display_matrix(a: int, b: int, c: int, d: int) -> Matrix:
    return (a * _ONE, b * _ONE, 0, c * _ONE, d * _ONE, 0, 0, 0, _UNIT_W)


def encode_sound(container: Any, stream: Any, samples: np.ndarray, sample_rate: int) -> None:
    """Encodes mono samples, (n,) float32, in whatever form the stream's codec takes."""
    form, layout = stream.codec_context.format.name, stream.codec_context.layout.name
    resampler = av.AudioResampler(form, layout, stream.codec_context.sample_rate)
    frame = av.AudioFrame.from_ndarray(samples[None].astype(np.float32), "fltp", "mono")
    frame.sample_rate, frame.pts, frame.time_base = sample_rate, 0, Fraction(1, sample_rate)
    for given in (frame, None):
        for ready in resampler.resample(given):
            container.mux(stream.encode(ready))
    container.mux(stream.encode(None))


def _video_stream(container: Any, wrapping: Wrapping, first: np.ndarray) -> Any:
    stream = container.add_stream(wrapping.codec, wrapping.rate, options=dict(wrapping.options))
    stream.height, stream.width = first.shape[:2]
    stream.pix_fmt = wrapping.pixels
    stream.time_base = stream.codec_context.time_base = Fraction(1, wrapping.clock)
    if wrapping.aspect is not None:
        stream.codec_context.sample_aspect_ratio = wrapping.aspect
    if wrapping.matrix is not None:
        stream.set_display_matrix(display_matrix(*wrapping.matrix))
    return stream


def _encode_pictures(
    container: Any, stream: Any, wrapping: Wrapping, pictures: Sequence[np.ndarray]
) -> None:
    shown = [round(time * wrapping.clock) for time in wrapping.shown[: len(pictures)]]
    lengths = [later - time for time, later in pairwise(shown)]
    last = wrapping.last_seconds
    lengths.append(lengths[-1] if last is None else round(last * wrapping.clock))
    lasting = dict(zip(shown, lengths, strict=True))
    for picture, tick in zip(pictures, shown, strict=True):
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), "rgb24")
        frame.pts, frame.time_base = tick, Fraction(1, wrapping.clock)
        _mux_lasting(container, stream.encode(frame), lasting)
    _mux_lasting(container, stream.encode(None), lasting)


def _mux_lasting(container: Any, packets: Iterable[Any], lasting: Mapping[int, int]) -> None:
    """Writes packets, each with the duration of its picture: encoders give all the same."""
    for packet in packets:
        packet.duration = lasting.get(packet.pts, packet.duration)
        container.mux(packet)
