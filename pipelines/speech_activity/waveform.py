"""The preview: the waveform with the speech marked, how sure the network was, and the time."""

from bisect import bisect_right
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from pipelines.outputs.picture import (
    BACKGROUND,
    MUTED,
    PALETTE,
    draw_header,
    font,
    save_png,
    timestamp,
)
from pipelines.speech_activity.network import Floats
from pipelines.speech_activity.segments import Segment

_WIDTH = 1280
_MARGIN = 20
_PLOT = _WIDTH - 2 * _MARGIN
_WAVE = (66, 266)  # from top to bottom, in pixels
_SURENESS = (282, 342)
_HEIGHT = 376

_SPEECH = PALETTE[0]
_SPEECH_BACK = (26, 44, 58)
_SILENCE = (84, 90, 100)
_THRESHOLD = PALETTE[1]
_GRID = (40, 44, 52)

#: A sound that never gets louder than this is drawn as quiet as it is.
_QUIETEST_PEAK = 0.05
_DAY = 86_400
_TICK_STEPS = (
    *(0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21_600, 43_200),
    *(_DAY * 10**power for power in range(12)),
)
_TICK_WIDTH = 90


def draw_waveform(
    path: Path,
    *,
    peaks: Floats,
    probabilities: Floats,
    segments: Sequence[Segment],
    seconds: float,
    threshold: float,
    title: str,
    summary: str,
) -> None:
    """Writes a picture of a sound of `seconds`: its `peaks` and `probabilities`, evenly spaced."""
    picture = Image.new("RGB", (_WIDTH, _HEIGHT), BACKGROUND)
    draw = ImageDraw.Draw(picture)
    draw_header(picture, title, summary, margin=_MARGIN)
    legend = f"threshold {threshold:.2f}"
    draw.text((_WIDTH - _MARGIN, 34), legend, font=font(14), fill=_THRESHOLD, anchor="ra")
    _draw_time(draw, seconds)
    _draw_backs(draw, segments, seconds)
    speaking = _speaking(segments, seconds)
    _draw_wave(draw, _columns(peaks), speaking)
    _draw_sureness(draw, _columns(probabilities), speaking, threshold)
    save_png(picture, path)


def _columns(values: Floats) -> Floats:
    """The greatest value in each column of the plot."""
    starts = np.linspace(0, values.size, _PLOT, endpoint=False).astype(int)
    columns: Floats = np.maximum.reduceat(values, starts)
    return columns


def _speaking(segments: Sequence[Segment], seconds: float) -> list[bool]:
    """Whether somebody speaks in the middle of each column of the plot."""
    starts = [segment.start for segment in segments]
    times = [(column + 0.5) / _PLOT * seconds for column in range(_PLOT)]
    before = [bisect_right(starts, time) for time in times]
    return [
        count > 0 and time < segments[count - 1].end
        for count, time in zip(before, times, strict=True)
    ]


def _draw_time(draw: ImageDraw.ImageDraw, seconds: float) -> None:
    fitting = (step for step in _TICK_STEPS if seconds / step * _TICK_WIDTH <= _PLOT)
    step = next(fitting, _TICK_STEPS[-1])
    for tick in range(int(seconds / step) + 1):
        x = _MARGIN + tick * step / seconds * _PLOT
        draw.line((x, _WAVE[0], x, _SURENESS[1] + 5), fill=_GRID)
        anchor = "la" if tick == 0 else "ma"
        label = timestamp(tick * step)
        if x + draw.textlength(label, font=font(12)) / 2 < _WIDTH:
            draw.text((x, _SURENESS[1] + 9), label, font=font(12), fill=MUTED, anchor=anchor)


def _draw_backs(draw: ImageDraw.ImageDraw, segments: Sequence[Segment], seconds: float) -> None:
    for segment in segments:
        left = _MARGIN + segment.start / seconds * _PLOT
        right = _MARGIN + segment.end / seconds * _PLOT
        draw.rectangle((left, _WAVE[0], max(left, right), _WAVE[1]), fill=_SPEECH_BACK)


def _draw_wave(draw: ImageDraw.ImageDraw, columns: Floats, speaking: Sequence[bool]) -> None:
    middle, reach = sum(_WAVE) / 2, (_WAVE[1] - _WAVE[0]) / 2 - 6
    heights = columns / max(_QUIETEST_PEAK, float(columns.max())) * reach
    for column, height in enumerate(heights.tolist()):
        x, colour = _MARGIN + column, _SPEECH if speaking[column] else _SILENCE
        draw.line((x, middle - height, x, middle + height), fill=colour)


def _draw_sureness(
    draw: ImageDraw.ImageDraw, columns: Floats, speaking: Sequence[bool], threshold: float
) -> None:
    top, bottom = _SURENESS
    for column, sureness in enumerate(columns.tolist()):
        x, colour = _MARGIN + column, _SPEECH if speaking[column] else _SILENCE
        draw.line((x, bottom - sureness * (bottom - top), x, bottom), fill=colour)
    y = bottom - threshold * (bottom - top)
    draw.line((_MARGIN, y, _MARGIN + _PLOT, y), fill=_THRESHOLD)
