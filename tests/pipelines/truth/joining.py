"""Joins pictures of several shapes in one stream, as WebRTC recorders and broadcasts do."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from PIL import Image

from pipelines.fitting import Size
from tests.pipelines.truth import base
from tests.pipelines.truth.wrapping import Wrapping, wrap


def resized(pictures: Sequence[np.ndarray], size: Size) -> list[np.ndarray]:
    return [np.asarray(Image.fromarray(picture).resize(size)) for picture in pictures]


def join_sizes(path: Path, codec: str, parts: Sequence[tuple[Size, int]]) -> Path:
    """Writes the base clip with so many pictures of each size, in one stream of a Matroska file."""
    with av.open(str(path), "w") as container:
        stream: Any = None
        first = 0
        for size, count in parts:
            encoder: Any = _encoder(codec, size)
            if stream is None:
                stream = container.add_stream(codec, base.RATE)
                stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
            for number, picture in enumerate(
                resized(base.pictures()[first : first + count], size), first
            ):
                frame = av.VideoFrame.from_ndarray(picture, "rgb24")
                frame.pts, frame.time_base = number, Fraction(1, base.RATE)
                _mux(container, stream, encoder.encode(frame))
            _mux(container, stream, encoder.encode(None))
            first += count
    return path


def join_transport_streams(folder: Path, name: str, parts: Sequence[Wrapping]) -> Path:
    """Writes the base clip's pictures in equal shares, each wrapped as one of `parts` says."""
    share = base.PICTURES // len(parts)
    content = b""
    for place, part in enumerate(parts):
        first = place * share
        times = [number / base.RATE for number in range(first, first + share)]
        pictures = base.pictures()[first : first + share]
        wrapping = Wrapping(
            f"{place}.ts",
            codec=part.codec,
            aspect=part.aspect,
            options=part.options,
            times=times,
        )
        content += wrap(folder, wrapping, pictures=pictures).read_bytes()
    path = folder / name
    path.write_bytes(content)
    return path


def _encoder(codec: str, size: Size) -> Any:
    encoder: Any = av.CodecContext.create(codec, "w")
    encoder.width, encoder.height, encoder.pix_fmt = *size, "yuv420p"
    encoder.time_base = Fraction(1, base.RATE)
    encoder.framerate = Fraction(base.RATE)
    encoder.options = {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0"}
    return encoder


def _mux(container: Any, stream: Any, packets: Sequence[Any]) -> None:
    for packet in packets:
        packet.stream = stream
        packet.time_base = Fraction(1, base.RATE)
        container.mux(packet)
