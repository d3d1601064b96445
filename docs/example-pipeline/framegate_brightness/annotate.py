"""Brightness from a media to its result files."""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from framegate_brightness.card import BrightnessConfig
from pipelines.sdk import (
    Damage,
    Findings,
    Frame,
    Media,
    Progress,
    ResultFile,
    Role,
    Stopwatch,
    frames,
)

#: Weights of red, green and blue in luma (ITU-R BT.709).
_LUMA = np.array([0.2126, 0.7152, 0.0722]) / 255
_LONGEST_SIDE = 64
_WIDTH, _HEIGHT = 800, 160
_BACKGROUND, _BRIGHT, _DARK, _LIMIT = "#101216", "#56b4e9", "#e69f00", "#969ca6"


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
            {"start": second.start, "brightness": round(second.brightness, 3)}
            for second in dark[:20]
        ],
        columns={"start": "seconds", "brightness": "mean, from 0 to 1"},
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
    with (folder / f"{name}.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["second", "brightness"])
        writer.writerows([second.start, f"{second.brightness:.4f}"] for second in seconds)
    files = [ResultFile(f"{name}.csv", Role.ANNOTATIONS, "text/csv")]
    if seconds:
        _chart(seconds, dark_below).save(folder / f"{name}.png")
        files.append(ResultFile(f"{name}.png", Role.PREVIEW, "image/png"))
    return files


def _chart(seconds: Sequence[Second], dark_below: float) -> Image.Image:
    """A line per column of pixels, as high as its second is bright."""
    chart = Image.new("RGB", (_WIDTH, _HEIGHT), _BACKGROUND)
    draw = ImageDraw.Draw(chart)
    for x in range(_WIDTH):
        second = seconds[x * len(seconds) // _WIDTH]
        colour = _DARK if second.brightness < dark_below else _BRIGHT
        draw.line((x, _HEIGHT, x, _HEIGHT * (1 - second.brightness)), fill=colour)
    limit = _HEIGHT * (1 - dark_below)
    draw.line((0, limit, _WIDTH, limit), fill=_LIMIT)
    return chart
