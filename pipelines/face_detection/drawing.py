"""Draws faces into a picture: for the preview and for the annotated video."""

from collections.abc import Iterable
from dataclasses import dataclass

from PIL import Image, ImageDraw

from pipelines.face_detection.sighting import Sighting
from pipelines.outputs.picture import colour, draw_box

Box = tuple[float, float, float, float]

_SMALLEST_WITH_LANDMARKS = 24
_LANDMARK_SHARE = 0.015


@dataclass(frozen=True)
class Marked:
    """A face to draw: `box` is x, y, width, height, and points are x, y, as shares of the
    picture's sides.
    """

    box: Box
    points: tuple[tuple[float, float], ...]
    number: int
    score: float


def marked(sighting: Sighting) -> list[Marked]:
    """The faces of a sighting."""
    width, height = sighting.size
    return [
        Marked(
            box=(x / width, y / height, w / width, h / height),
            points=tuple((px / width, py / height) for px, py in landmarks),
            number=number,
            score=score,
        )
        for (x, y, w, h), landmarks, number, score in zip(
            sighting.boxes,
            sighting.faces.landmarks.tolist(),
            sighting.numbers.tolist(),
            sighting.faces.scores.tolist(),
            strict=True,
        )
    ]


def draw_faces(image: Image.Image, faces: Iterable[Marked], *, tracked: bool) -> None:
    """Boxes in the colour of the face's number, with number and score, and dots on landmarks."""
    for face in faces:
        x, y, width, height = face.box
        box = (
            x * image.width,
            y * image.height,
            width * image.width,
            height * image.height,
        )
        tint = colour(face.number - 1 if tracked else 0)
        name = f"{face.number} · " if tracked else ""
        if min(box[2:]) >= _SMALLEST_WITH_LANDMARKS:
            _draw_points(image, face.points, tint, radius=max(1.5, _LANDMARK_SHARE * box[2]))
        draw_box(image, box, tint, label=f"{name}{face.score:.0%}")


def _draw_points(
    image: Image.Image,
    points: Iterable[tuple[float, float]],
    tint: tuple[int, int, int],
    *,
    radius: float,
) -> None:
    draw = ImageDraw.Draw(image)
    for x, y in points:
        centre = x * image.width, y * image.height
        draw.circle(centre, radius, fill=tint, outline=(0, 0, 0))
