"""Brightness from a media to its result files."""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from contracts.atomic_file import replacing
from framegate_brightness.card import BrightnessConfig
from pipelines.damage import Damage
from pipelines.findings import Findings, ResultFile, Role
from pipelines.frames import Frame, frames
from pipelines.media import Media
from pipelines.outputs.picture import (
    BACKGROUND,
    HEADER_HEIGHT,
    MUTED,
    colour,
    draw_header,
    save_png,
    timestamp,
)
from pipelines.progress import Progress
from pipelines.stopwatch import Stopwatch

#: Weights of red, green and blue in luma (ITU-R BT.709).
_LUMA = np.array([0.2126, 0.7152, 0.0722]) / 255
_LONGEST_SIDE = 64
_WIDTH, _HEIGHT, _MARGIN = 800, 160, 14


@dataclass(frozen=True)
class Second:
    """`brightness` is the mean of the second's frames, from 0 to 1."""

    start: int
    brightness: float


def annotate(media: Media, config: BrightnessConfig, folder: Path, progress: Progress) -> Findings:
    """Writes a CSV and a chart into `folder`. Media without video has no brightness."""
    stopwatch, damage = Stopwatch(), Damage()
    looks = frames(media, max_side=_LONGEST_SIDE, rate=config.looks_per_second, damage=damage)
    seconds = []
    for second in _measure(stopwatch.decoding(looks)):
        seconds.append(second)
        progress.report(second.start / (media.duration_seconds + 1))
    dark = [second for second in seconds if second.brightness < config.dark_below]
    with stopwatch.writing():
        files = _write(folder, media, seconds, config.dark_below)
    return Findings(
        count=len(dark),
        noun="dark seconds",
        files=files,
        device="cpu",
        timings=stopwatch.timings,
        table=[
            {"start": timestamp(second.start), "brightness": round(second.brightness, 3)}
            for second in dark[:20]
        ],
        notes=[*damage.notes, *([] if media.video else ["The file has no video."])],
        coverage=damage.coverage,
        facts={"seconds": len(seconds)},
    )


def _measure(looks: Iterator[Frame]) -> Iterator[Second]:
    """A second in which no frame begins is left out."""
    for start, group in groupby(looks, key=lambda look: int(look.time)):
        means = [look.image.mean(axis=(0, 1)) @ _LUMA for look in group]
        yield Second(start, float(np.mean(means)))


def _write(
    folder: Path, media: Media, seconds: Sequence[Second], dark_below: float
) -> list[ResultFile]:
    name = f"{media.stem}_brightness"
    with replacing(folder / f"{name}.csv") as temporary, temporary.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["second", "brightness"])
        writer.writerows([second.start, f"{second.brightness:.4f}"] for second in seconds)
    files = [ResultFile(f"{name}.csv", Role.ANNOTATIONS, "text/csv")]
    if seconds:
        save_png(_chart(media, seconds, dark_below), folder / f"{name}.png")
        files.append(ResultFile(f"{name}.png", Role.PREVIEW, "image/png"))
    return files


def _chart(media: Media, seconds: Sequence[Second], dark_below: float) -> Image.Image:
    chart = Image.new("RGB", (_WIDTH, HEADER_HEIGHT + _HEIGHT + _MARGIN), BACKGROUND)
    draw_header(chart, media.name, f"brightness of {len(seconds)} seconds", margin=_MARGIN)
    draw, floor = ImageDraw.Draw(chart), HEADER_HEIGHT + _HEIGHT
    for x in range(_MARGIN, _WIDTH - _MARGIN):
        second = seconds[(x - _MARGIN) * len(seconds) // (_WIDTH - 2 * _MARGIN)]
        line = colour(1) if second.brightness < dark_below else colour(0)
        draw.line((x, floor, x, floor - second.brightness * _HEIGHT), fill=line)
    limit = floor - dark_below * _HEIGHT
    draw.line((_MARGIN, limit, _WIDTH - _MARGIN, limit), fill=MUTED)
    return chart
