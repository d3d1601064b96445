"""The faces as a COCO dataset that Datumaro, CVAT and FiftyOne import: an image per frame that was
looked at, ids that are integers.
"""

from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import Any

from pipelines.face_detection.sighting import Sighting
from pipelines.media import Media
from pipelines.outputs.coco import write_coco

_CATEGORY = {"id": 1, "name": "face", "supercategory": "person"}


def write_dataset(
    path: Path, media: Media, sightings: Sequence[Sighting], *, tracked: bool, version: str
) -> None:
    """Boxes in pixels; the file name of frame 25 is `<stem>/000025.jpg`.

    `attributes` are what those programs show beside a box: when it is seen and, with tracking, the
    number of the face as `track_id`.
    """
    write_coco(
        path,
        info={"description": f"Faces in {media.name}", "version": version},
        annotations=_annotations(sightings, tracked=tracked),
        images=_images(media, sightings),
        categories=[_CATEGORY],
    )


def _images(media: Media, sightings: Sequence[Sighting]) -> Iterator[dict[str, Any]]:
    for number, sighting in enumerate(sightings, start=1):
        yield {
            "id": number,
            "file_name": f"{media.stem}/{sighting.frame:06}.jpg",
            "width": sighting.size.width,
            "height": sighting.size.height,
        }


def _annotations(sightings: Sequence[Sighting], *, tracked: bool) -> Iterator[dict[str, Any]]:
    ids = count(1)
    for image, sighting in enumerate(sightings, start=1):
        for face, (x, y, width, height) in enumerate(sighting.boxes):
            track = {"track_id": int(sighting.numbers[face])} if tracked else {}
            yield {
                "id": next(ids),
                "image_id": image,
                "category_id": _CATEGORY["id"],
                "bbox": [round(side, 2) for side in (x, y, width, height)],
                "area": round(width * height, 2),
                "iscrowd": 0,
                "segmentation": [],
                "score": round(float(sighting.faces.scores[face]), 4),
                "attributes": {**track, "time_seconds": round(sighting.time, 3)},
            }
