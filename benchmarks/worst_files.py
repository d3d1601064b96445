"""What the ten worst files that are let in cost: peak memory and seconds of all pipelines together.

Each file is small and legal; it costs by the size of its pictures, or claims to last for hours.
Every measurement is a process of its own, so that its peak memory is its own.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from rich.console import Console
from rich.table import Table

from pipelines.media import probe
from pipelines.progress import Progress
from pipelines.registry.catalog import load_catalog


def main(arguments: Sequence[str] | None = None) -> None:
    options = _parse(arguments)
    if options.measure:
        print(json.dumps(_measured(options.measure)))
        return
    rows = list(_rows())
    table = Table("file", "KB", "peak MB", "seconds")
    for row in rows:
        numbers = (row["kilobytes"], row["peak_mb"], row["seconds"])
        table.add_row(row["name"], *(f"{number:,.1f}" for number in numbers))
    Console().print(table)
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(rows, indent=1) + "\n")


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.worst_files", description=__doc__)
    parser.add_argument("--json", type=Path, help="also write the numbers to this file")
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args(arguments)


def _rows() -> Iterator[dict[str, Any]]:
    with tempfile.TemporaryDirectory() as folder:
        for name, write in WORST.items():
            path = Path(folder) / name
            write(path)
            command = [sys.executable, "-m", "benchmarks.worst_files", "--measure", str(path)]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            yield {"name": name, "kilobytes": path.stat().st_size / 1000, **json.loads(done.stdout)}


def _measured(path: Path) -> dict[str, float]:
    started = time.perf_counter()
    media = probe(path)
    for card in load_catalog().cards.values():
        with tempfile.TemporaryDirectory() as folder:
            card.load_annotate()(media, card.config(), Path(folder), Progress())
    status = Path("/proc/self/status").read_text()
    (line,) = (line for line in status.splitlines() if line.startswith("VmHWM:"))
    return {"peak_mb": int(line.split()[1]) / 1024, "seconds": time.perf_counter() - started}


def _video(
    codec: str, pixels: str, width: int, height: int, times: Sequence[float], **options: str
) -> Callable[[Path], None]:
    """What writes grey pictures, each of another brightness, that are shown at `times`."""

    def write(path: Path) -> None:
        with av.open(str(path), "w") as container:
            stream: Any = container.add_stream(codec, 25, options=options)
            stream.width, stream.height, stream.pix_fmt = width, height, pixels
            stream.codec_context.time_base = Fraction(1, 1000)
            for number, time_shown in enumerate(times):
                frame = av.VideoFrame(width, height, pixels)
                for plane in frame.planes:
                    plane.update(bytes([40 * number % 256]) * plane.buffer_size)
                frame.pts, frame.time_base = round(1000 * time_shown), Fraction(1, 1000)
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))

    return write


def _growing(path: Path) -> None:
    """A stream that begins small and grows as far as it may."""
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("libvpx", 25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for first, (width, height) in enumerate([(64, 48), (4096, 2304)]):
            encoder: Any = av.CodecContext.create("libvpx", "w")
            encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuv420p"
            encoder.time_base, encoder.framerate = Fraction(1, 25), Fraction(25)
            encoder.options = {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0"}
            frames = [av.VideoFrame(width, height, "yuv420p") for _ in range(5)]
            for number, frame in enumerate(frames):
                frame.pts, frame.time_base = 5 * first + number, Fraction(1, 25)
            for packet in [p for frame in (*frames, None) for p in encoder.encode(frame)]:
                packet.stream, packet.time_base = stream, Fraction(1, 25)
                container.mux(packet)


def _pauses(path: Path) -> None:
    """Ten pieces of sound that are 29 hours apart."""
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("pcm_s16le", 16_000, layout="mono")
        for number in range(10):
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 160), np.int16), "s16", "mono")
            frame.sample_rate, frame.time_base = 16_000, Fraction(1, 16_000)
            frame.pts = number * 29 * 3600 * 16_000
            container.mux(stream.encode(frame))


def _channels(path: Path) -> None:
    """Eight channels of noise at 192 kHz."""
    random = np.random.default_rng(0)
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("pcm_s16le", 192_000, layout="7.1")
        samples = random.integers(-9000, 9000, (1, 8 * 192_000 * 5), np.int16)
        frame = av.AudioFrame.from_ndarray(samples, "s16", "7.1")
        frame.sample_rate, frame.pts, frame.time_base = 192_000, 0, Fraction(1, 192_000)
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            container.mux(packet)


def _even(count: int, rate: float = 5) -> list[float]:
    return [number / rate for number in range(count)]


WORST: Mapping[str, Callable[[Path], None]] = {
    "8192x4320.mp4": _video(
        "libx264", "yuv420p", 8192, 4320, _even(20), preset="ultrafast", refs="16"
    ),
    "8k_ten_bits.mkv": _video("libx264", "yuv420p10le", 7680, 4320, _even(10), preset="ultrafast"),
    "8192x8192.avi": _video("mjpeg", "yuvj420p", 8192, 8192, _even(10)),
    "64_bit_png.mov": _video("png", "rgba64be", 4096, 4032, _even(10)),
    "16_bit_ffv1.mkv": _video("ffv1", "yuv444p16le", 4096, 4096, _even(6)),
    "wide.gif": _video("gif", "rgb8", 65_535, 500, _even(10)),
    "growing.webm": _growing,
    "slides_of_hours.mkv": _video("libx264", "yuv420p", 1280, 720, [0, 36_000, 72_000], bf="0"),
    "pauses_of_hours.mka": _pauses,
    "eight_channels.wav": _channels,
}

if __name__ == "__main__":
    main()
