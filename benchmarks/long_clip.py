"""A video of two hours that takes seconds to make: the packets of 20 seconds, over and over."""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av

from pipelines.sample import build_sample

SECONDS = 7200
#: As often as face detection looks, unless told otherwise.
FRAME_RATE = 5
_PIECE_SECONDS = 20


def build_long_clip(path: Path, seconds: int = SECONDS, sample: Path | None = None) -> Path:
    """Writes `path`: the sample's pictures, five a second, and its sound, for so long."""
    sample = sample or build_sample(path.with_name("sample.mp4"))
    piece = _shorten(sample, path.with_name("piece.mp4"))
    with av.open(str(piece)) as source, av.open(str(path), "w") as target:
        streams = {s.index: target.add_stream_from_template(s) for s in source.streams}
        for start in range(0, seconds, _PIECE_SECONDS):
            source.seek(0)
            for packet in _shifted(source, start):
                packet.stream = streams[packet.stream_index]
                target.mux(packet)
    return path


def _shorten(sample: Path, path: Path) -> Path:
    """The sample's first seconds at the low frame rate."""
    with av.open(str(sample)) as source, av.open(str(path), "w") as target:
        video: Any = target.add_stream("libx264", FRAME_RATE, options={"preset": "veryfast"})
        video.width, video.height, video.pix_fmt = 640, 360, "yuv420p"
        speaker = target.add_stream_from_template(source.streams.audio[0])
        for number, frame in enumerate(source.decode(video=0)):
            step, rest = divmod(number * FRAME_RATE, 25)
            if rest >= FRAME_RATE or step >= _PIECE_SECONDS * FRAME_RATE:
                continue
            frame.pts, frame.time_base = step, Fraction(1, FRAME_RATE)
            target.mux(video.encode(frame))
        target.mux(video.encode(None))
        source.seek(0)
        for packet in _shifted(source, 0, only_audio=True):
            packet.stream = speaker
            target.mux(packet)
    return path


def _shifted(source: Any, start: int, *, only_audio: bool = False) -> Iterator[Any]:
    streams = source.streams.audio if only_audio else source.streams.get()
    for packet in source.demux(*streams):
        if packet.dts is None or not 0 <= packet.pts * packet.time_base < _PIECE_SECONDS:
            continue
        shift = round(start / packet.time_base)
        packet.pts, packet.dts = packet.pts + shift, packet.dts + shift
        yield packet
