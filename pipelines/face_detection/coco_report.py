"""The faces as JSON in the manner of COCO, as existing clients read them."""

from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import Any

from pipelines.face_detection.sighting import Sighting
from pipelines.fitting import Size
from pipelines.media import Media
from pipelines.outputs.coco import write_coco

#: Left and right are the person's own, as everywhere in COCO: the right eye is on the left of
#: a face that looks at the viewer.
LANDMARKS = ("right_eye", "left_eye", "nose", "right_mouth_corner", "left_mouth_corner")

_CATEGORY = {
    "id": 1,
    "name": "face",
    "supercategory": "person",
}
_COORDINATES = (
    "Pixels of the annotation's own image as a player shows it, upright and with square pixels. "
    "The image's width and height say how large it is."
)


def write_report(
    path: Path, media: Media, sightings: Sequence[Sighting], *, tracked: bool, version: str
) -> None:
    """Every face of every sighting, and as images every frame that was looked at.

    `face_id` is the number of the face; `track_id` is the same, and left out without tracking.
    Clients take whatever has `keypoints` for a person, so the points are called `landmarks`; they
    pass over a face without `attributes.emotions`, which is empty.
    """
    write_coco(
        path,
        info={
            "description": f"Faces in {media.name}",
            "version": version,
            "coordinates": _COORDINATES,
        },
        annotations=_annotations(sightings, tracked=tracked),
        images=_images(media, sightings),
        categories=[_CATEGORY],
    )


def _annotations(sightings: Sequence[Sighting], *, tracked: bool) -> Iterator[dict[str, Any]]:
    ids = count(1)
    for sighting in sightings:
        for face, (x, y, width, height) in enumerate(sighting.boxes):
            number = int(sighting.numbers[face])
            yield {
                "id": next(ids),
                "image_id": str(sighting.frame),
                "category_id": _CATEGORY["id"],
                "bbox": [round(side, 2) for side in (x, y, width, height)],
                "area": round(width * height, 2),
                "iscrowd": 0,
                "score": round(float(sighting.faces.scores[face]), 4),
                "face_id": number,
                **({"track_id": number} if tracked else {}),
                "timestamp": round(sighting.time, 3),
                "frame_number": sighting.frame,
                "landmarks": _landmarks(sighting.size, sighting.faces.landmarks[face].tolist()),
                "attributes": {"emotions": {}},
            }


def _landmarks(size: Size, landmarks: list[list[float]]) -> dict[str, list[float]]:
    """X and y of each landmark, in pixels; one that lies outside of the frame is left out."""
    return {
        name: [round(x, 2), round(y, 2)]
        for name, (x, y) in zip(LANDMARKS, landmarks, strict=True)
        if 0 <= x <= size.width and 0 <= y <= size.height
    }


def _images(media: Media, sightings: Sequence[Sighting]) -> Iterator[dict[str, Any]]:
    for sighting in sightings:
        yield {
            "id": str(sighting.frame),
            "file_name": media.name,
            "width": sighting.size.width,
            "height": sighting.size.height,
            "frame_number": sighting.frame,
            "timestamp": round(sighting.time, 3),
        }
