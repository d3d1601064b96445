"""What previews share: times, labels that stay inside, boxes of the right colour."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pipelines.outputs.picture import (
    TEXT,
    colour,
    draw_box,
    draw_header,
    draw_label,
    font,
    save_png,
    shortened,
    timestamp,
)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0:00.0"), (9.96, "0:10.0"), (59.96, "1:00.0"), (62.54, "1:02.5"), (3723.5, "1:02:03.5")],
)
def test_times_are_written_for_people(seconds: float, text: str) -> None:
    assert timestamp(seconds) == text


def test_a_box_is_drawn_around_its_pixels() -> None:
    image = Image.new("RGB", (200, 100))
    draw_box(image, (50, 20, 40, 30), colour(1))
    drawn = np.argwhere((np.asarray(image) == colour(1)).all(axis=2))
    assert drawn.min(axis=0).tolist() == [20, 50]
    assert drawn.max(axis=0).tolist() == [50, 90]


@pytest.mark.parametrize("corner", [(-50, -50), (500, 500), (190, 3)])
def test_a_label_stays_inside_the_picture(corner: tuple[float, float]) -> None:
    inside = Image.new("RGB", (200, 100), (90, 90, 90))
    draw_label(inside, corner, "0:12.3")
    middle = Image.new("RGB", (200, 100), (90, 90, 90))
    draw_label(middle, (80, 40), "0:12.3")
    bright = [int((np.asarray(image).min(axis=2) > 200).sum()) for image in (inside, middle)]
    assert bright[0] > 0.8 * bright[1] > 0


def test_a_long_title_is_cut_with_an_ellipsis() -> None:
    text = shortened("A long title of a video " * 20, 18, 300)
    assert text.endswith("…")
    assert font(18).getlength(text) <= 300
    assert shortened("short", 18, 300) == "short"


def test_a_title_stays_in_one_line_whatever_is_in_it() -> None:
    assert shortened("a\nb\x00c\ud800d", 18, 300) == "a b c d"


def test_a_header_is_written_in_the_margin() -> None:
    sheet = Image.new("RGB", (400, 100))
    draw_header(sheet, "Title", "3 scenes", margin=14)
    written = np.argwhere((np.asarray(sheet) == TEXT).all(axis=2))
    assert written.min(axis=0)[1] >= 14


def test_a_png_appears_whole(tmp_path: Path) -> None:
    path = tmp_path / "sheet.png"
    save_png(Image.new("RGB", (20, 10), (1, 2, 3)), path)
    with Image.open(path) as image:
        assert (image.format, image.size) == ("PNG", (20, 10))
    assert list(tmp_path.iterdir()) == [path]
