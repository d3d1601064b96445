"""Writes the base clip's sound, or one with other channels, and says when speech was found."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import av
import numpy as np

from pipelines.findings import Findings
from pipelines.media import probe
from pipelines.progress import Progress
from pipelines.speech_activity.annotate import annotate
from pipelines.speech_activity.config import SpeechActivityConfig
from pipelines.speech_sample import SAMPLE_RATE
from tests.pipelines.truth import base


@dataclass(frozen=True)
class Speaking:
    """How a sound is written.

    Attributes:
        name: the file's; its suffix decides on the format.
        rate: of the encoded sound, in samples per second.
        layout: as libav names them; "4 channels" has no mask, so that no channel has a place.
        start: when the first sample is heard.
    """

    name: str
    codec: str
    rate: int = SAMPLE_RATE
    layout: str = "mono"
    start: float = 0.0
    muxing: Mapping[str, str] = field(default_factory=dict)


def speak(folder: Path, speaking: Speaking, samples: np.ndarray | None = None) -> Path:
    """Writes `samples`, (channels, n) at 16 kHz; those of the base clip without."""
    path = folder / speaking.name
    with av.open(str(path), "w", options=dict(speaking.muxing)) as container:
        stream = container.add_stream(speaking.codec, speaking.rate, layout=speaking.layout)
        given = base.sound()[None] if samples is None else samples
        encode(container, stream, given, speaking.start)
    return path


def encode(container: Any, stream: Any, samples: np.ndarray, start: float = 0.0) -> None:
    """Encodes (channels, n) samples at 16 kHz in the stream's layout, from `start` seconds on."""
    context = stream.codec_context
    resampler = av.AudioResampler(context.format.name, context.layout, context.sample_rate)
    interleaved = np.ascontiguousarray(samples.T, np.float32).reshape(1, -1)
    frame = av.AudioFrame.from_ndarray(interleaved, "flt", context.layout.name)
    frame.sample_rate, frame.time_base = SAMPLE_RATE, Fraction(1, SAMPLE_RATE)
    frame.pts = round(start * SAMPLE_RATE)
    for given in (frame, None):
        for ready in resampler.resample(given):
            container.mux(stream.encode(ready))
    container.mux(stream.encode(None))


def listen(path: Path) -> Findings:
    """What speech activity finds."""
    with TemporaryDirectory() as folder:
        return annotate(probe(path), SpeechActivityConfig(), Path(folder), Progress())


def spans_in(findings: Findings) -> list[tuple[float, float]]:
    """When somebody speaks, in seconds, as the table has it."""
    rows = [(str(row["start"]), float(row["seconds"])) for row in findings.table]
    return [(_seconds(start), _seconds(start) + seconds) for start, seconds in rows]


def are_near(
    found: Sequence[tuple[float, float]],
    expected: Sequence[tuple[float, float]],
    tolerance: float = 0.25,
) -> bool:
    """Whether the spans are the same, but for what the network is slow to hear."""
    return len(found) == len(expected) and all(
        abs(was - should) <= tolerance
        for pair, truth in zip(found, expected, strict=True)
        for was, should in zip(pair, truth, strict=True)
    )


def _seconds(timestamp: str) -> float:
    total = 0.0
    for part in timestamp.split(":"):
        total = 60 * total + float(part)
    return total
