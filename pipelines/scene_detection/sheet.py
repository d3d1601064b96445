"""The contact sheet: a frame from the middle of each scene, with number, time and length."""

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from pipelines.media import Media, VideoStream
from pipelines.outputs.picture import (
    BACKGROUND,
    HEADER_HEIGHT,
    MUTED,
    TEXT,
    draw_header,
    font,
    save_png,
    timestamp,
)
from pipelines.outputs.scenes import Scene
from pipelines.snapshots import snapshots

#: How many scenes a sheet shows; of more, as many evenly chosen ones.
MOST_TILES = 48

_TILE_BOX = (300, 220)
_MARGIN = 14
_CAPTION = 26
_CAPTION_SIZE = 14
_MOST_COLUMNS = 6
_NARROWEST = 420


def draw_sheet(path: Path, media: Media, scenes: Sequence[Scene], summary: str) -> None:
    """Writes the sheet of `scenes`, at least one, reading their frames from `media`."""
    if media.video is None:
        return
    numbers = _evenly(len(scenes), MOST_TILES)
    shown = [scenes[number] for number in numbers]
    width, height = tile_size(media.video)
    columns = min(_MOST_COLUMNS, math.ceil(math.sqrt(len(shown))))
    across, down = width + _MARGIN, height + _CAPTION + _MARGIN
    sheet_width = max(_NARROWEST, columns * across + _MARGIN)
    left = (sheet_width - columns * across + _MARGIN) // 2
    rows = math.ceil(len(shown) / columns)
    sheet = Image.new("RGB", (sheet_width, HEADER_HEIGHT + rows * down), BACKGROUND)
    draw_header(sheet, media.name, summary, margin=_MARGIN)
    middles = [(scene.start + scene.end) / 2 for scene in shown]
    pictures = snapshots(media, middles, (width, height))
    for place, (number, scene, picture) in enumerate(zip(numbers, shown, pictures, strict=False)):
        row, column = divmod(place, columns)
        corner = (left + column * across, HEADER_HEIGHT + row * down)
        _draw_tile(sheet, corner, picture, number + 1, scene)
    save_png(sheet, path)


def tile_size(video: VideoStream) -> tuple[int, int]:
    """Width and height of a tile, in the shape of the video."""
    scale = min(_TILE_BOX[0] / video.width, _TILE_BOX[1] / video.height)
    return max(1, round(video.width * scale)), max(1, round(video.height * scale))


def _evenly(count: int, most: int) -> list[int]:
    """The numbers from 0 to `count` - 1, or `most` of them, evenly spread."""
    if count <= most:
        return list(range(count))
    return [place * count // most for place in range(most)]


def _draw_tile(
    sheet: Image.Image,
    corner: tuple[int, int],
    picture: npt.NDArray[np.uint8],
    number: int,
    scene: Scene,
) -> None:
    left, top = corner
    height, width = picture.shape[:2]
    sheet.paste(Image.fromarray(picture), corner)
    draw, written = ImageDraw.Draw(sheet), font(_CAPTION_SIZE)
    begins, lasts = f"{number}   {timestamp(scene.start)}", f"{scene.duration:.1f} s"
    draw.text((left, top + height + 5), begins, font=written, fill=TEXT)
    room = width - written.getlength(begins) - _CAPTION_SIZE
    if (length := written.getlength(lasts)) <= room:
        draw.text((left + width - length, top + height + 5), lasts, font=written, fill=MUTED)
