"""The preview: a sheet of the frames that show best which faces there are."""

import math
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from pipelines.face_detection.drawing import draw_faces, marked
from pipelines.face_detection.gallery import Shot
from pipelines.fitting import Size, fit
from pipelines.outputs.picture import (
    BACKGROUND,
    HEADER_HEIGHT,
    draw_header,
    draw_label,
    save_png,
    timestamp,
)
from pipelines.streams import VideoStream

#: How many shots a sheet holds.
MOST_SHOTS = 6

_TILE_SIDE = 420
_MARGIN = 14
_NARROWEST = 420
_COLUMNS = {1: 1, 2: 2, 3: 3, 4: 2}


def tile_size(video: VideoStream) -> Size:
    """How large a shot may be on the sheet, in the shape of the video."""
    return fit(video.size, _TILE_SIDE, _TILE_SIDE)


def draw_preview(
    path: Path,
    video: VideoStream,
    shots: Sequence[Shot],
    *,
    title: str,
    summary: str,
    tracked: bool,
) -> None:
    """Writes the sheet of `shots`, at least one, with boxes, numbers and times."""
    tile_width, tile_height = tile_size(video)
    columns = _COLUMNS.get(len(shots), 3)
    rows = math.ceil(len(shots) / columns)
    across, down = tile_width + _MARGIN, tile_height + _MARGIN
    width = max(_NARROWEST, columns * across + _MARGIN)
    left = (width - columns * across + _MARGIN) // 2
    sheet = Image.new("RGB", (width, HEADER_HEIGHT + rows * down), BACKGROUND)
    draw_header(sheet, title, summary, margin=_MARGIN)
    for place, shot in enumerate(shots):
        row, column = divmod(place, columns)
        tile = shot.image.copy()
        draw_faces(tile, marked(shot.sighting), tracked=tracked)
        draw_label(tile, (0, tile.height), timestamp(shot.sighting.time))
        corner = (
            left + column * across + (tile_width - tile.width) // 2,
            HEADER_HEIGHT + row * down + (tile_height - tile.height) // 2,
        )
        sheet.paste(tile, corner)
    save_png(sheet, path)
