"""What the program ffmpeg shows of a file: the judge where players differ."""

import re
import subprocess
from pathlib import Path

import imageio_ffmpeg
import numpy as np

_SHOWN = re.compile(r"\bpts_time:(-?[\d.]+)")


def pictures_of(path: Path, width: int, height: int) -> list[np.ndarray]:
    """Every frame as ffmpeg turns and mirrors it, scaled to `width` x `height`: uint8 RGB."""
    output = _run(path, f"scale={width}:{height}", "-f", "rawvideo", "-pix_fmt", "rgb24").stdout
    return list(np.frombuffer(output, np.uint8).reshape(-1, height, width, 3))


def times_of(path: Path) -> list[float]:
    """When ffmpeg shows each frame, in seconds from the file's start."""
    log = _run(path, "showinfo", "-f", "null").stderr.decode(errors="replace")
    return [float(time) for time in _SHOWN.findall(log)]


def _run(path: Path, filters: str, *output: str) -> "subprocess.CompletedProcess[bytes]":
    program = imageio_ffmpeg.get_ffmpeg_exe()
    command = [program, "-nostdin", "-i", path, "-an", "-vf", filters]
    return subprocess.run(
        [*command, "-fps_mode", "passthrough", *output, "-"],
        capture_output=True,
        check=True,
        timeout=120,
    )
