"""The contact sheet: a frame from the middle of each scene, with number, time and length."""

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from pipelines.fitting import fit
from pipelines.media import Media
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

_MARGIN = 14
_CAPTION = 26
_CAPTION_SIZE = 14
_NARROWEST = 420
_WIDEST = 1900
#: A sheet is wider than high by about this.
_SHAPE = 1.4
#: What a tile fits into: the fewer there are, the larger.
_FEW, _BOX_OF_FEW, _BOX_OF_MANY = 4, (480, 360), (300, 220)


def draw_sheet(path: Path, media: Media, scenes: Sequence[Scene]) -> None:
    """Writes the sheet of `scenes`, at least one, reading their frames from `media`."""
    if media.video is None:
        return
    numbers = _evenly(len(scenes), MOST_TILES)
    shown = [scenes[number] for number in numbers]
    room = _BOX_OF_FEW if len(shown) <= _FEW else _BOX_OF_MANY
    size = fit(media.video.size, *room)
    width, height = size
    across, down = width + _MARGIN, height + _CAPTION + _MARGIN
    columns = _columns(len(shown), across, down)
    rows = math.ceil(len(shown) / columns)
    sheet_width = max(_NARROWEST, columns * across + _MARGIN)
    left = (sheet_width - columns * across + _MARGIN) // 2
    sheet = Image.new("RGB", (sheet_width, HEADER_HEIGHT + rows * down), BACKGROUND)
    draw_header(sheet, media.name, _summary(scenes, len(shown)), margin=_MARGIN)
    middles = [(scene.start + scene.end) / 2 for scene in shown]
    pictures = snapshots(media, middles, size)
    for place, (number, scene, picture) in enumerate(zip(numbers, shown, pictures, strict=False)):
        row, column = divmod(place, columns)
        corner = (left + column * across, HEADER_HEIGHT + row * down)
        _draw_tile(sheet, corner, picture, number + 1, scene)
    save_png(sheet, path)


def _evenly(count: int, most: int) -> list[int]:
    """The numbers from 0 to `count` - 1, or `most` of them, evenly spread."""
    if count <= most:
        return list(range(count))
    return [place * count // most for place in range(most)]


def _columns(count: int, across: int, down: int) -> int:
    wanted = round(math.sqrt(count * _SHAPE * down / across))
    return max(1, min(wanted, count, _WIDEST // across))


def _summary(scenes: Sequence[Scene], shown: int) -> str:
    counted = "1 scene" if len(scenes) == 1 else f"{len(scenes)} scenes"
    some = "" if shown == len(scenes) else f", {shown} of them shown"
    return f"{counted} in {timestamp(scenes[-1].end - scenes[0].start)}{some}"


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
