"""What all preview pictures share: the font, labels, boxes, how a time is written."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from contracts.atomic_file import replacing

BACKGROUND = (16, 18, 22)
PLATE = (16, 18, 22, 200)
TEXT = (240, 242, 245)
MUTED = (150, 156, 166)
HEADER_HEIGHT = 58
#: Colours that can be told apart, also by the colour-blind, on dark and on bright pictures
#: (after Okabe and Ito, "Color Universal Design").
PALETTE = (
    (86, 180, 233),
    (230, 159, 0),
    (0, 190, 140),
    (240, 228, 66),
    (213, 94, 0),
    (204, 121, 167),
    (90, 140, 255),
)


@cache
def font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


def timestamp(seconds: float) -> str:
    """For people: `1:02.5`, or `1:02:03.5` from the first hour on."""
    minutes, tenths = divmod(round(seconds * 10), 600)
    hours, minutes = divmod(minutes, 60)
    clock = f"{hours}:{minutes:02}" if hours else str(minutes)
    return f"{clock}:{tenths // 10:02}.{tenths % 10}"


def colour(number: int) -> tuple[int, int, int]:
    return PALETTE[number % len(PALETTE)]


def draw_label(
    image: Image.Image, corner: tuple[float, float], text: str, *, size: int = 14
) -> None:
    """Writes `text` on a translucent plate whose upper left corner is `corner`, kept inside."""
    draw = ImageDraw.Draw(image, "RGBA")
    left, top, right, bottom = draw.textbbox((0, 0), text, font=font(size))
    pad = size / 3
    width, height = right - left + 2 * pad, bottom - top + 2 * pad
    x = max(0.0, min(corner[0], image.width - width))
    y = max(0.0, min(corner[1], image.height - height))
    draw.rounded_rectangle((x, y, x + width, y + height), radius=size / 4, fill=PLATE)
    draw.text((x + pad - left, y + pad - top), text, font=font(size), fill=TEXT)


def draw_header(sheet: Image.Image, title: str, summary: str, *, margin: int) -> None:
    """Two lines in the upper left corner, `HEADER_HEIGHT` high, cut where they are too long."""
    draw = ImageDraw.Draw(sheet)
    room = sheet.width - 2 * margin
    for top, size, fill, text in ((10, 18, TEXT, title), (34, 14, MUTED, summary)):
        draw.text((margin, top), shortened(text, size, room), font=font(size), fill=fill)


def shortened(text: str, size: int, room: float) -> str:
    """`text` in one line, cut with an ellipsis where it is wider than `room` pixels."""
    written = font(size)
    text = "".join(character if character.isprintable() else " " for character in text)
    if written.getlength(text) <= room:
        return text
    while text and written.getlength(f"{text}…") > room:
        text = text[:-1]
    return f"{text}…"


def draw_box(
    image: Image.Image,
    box: Sequence[float],
    colour: tuple[int, int, int],
    *,
    label: str = "",
) -> None:
    """Draws `box` = (x, y, width, height) in pixels, its `label` above it or else below."""
    x, y, width, height = box
    line = max(2, round(min(image.size) / 200))
    size = max(12, round(min(image.size) / 32))
    draw = ImageDraw.Draw(image)
    draw.rectangle((x, y, x + width, y + height), outline=colour, width=line)
    if label:
        above, below = y - size * 1.7, y + height + line
        draw_label(image, (x, above if above >= 0 else below), label, size=size)


def save_png(image: Image.Image, path: Path) -> None:
    with replacing(path) as temporary:
        image.save(temporary, format="PNG")
