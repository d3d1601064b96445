"""The faces as CSV, a row for each time that a face was seen, and as tiers, a segment per face."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from pipelines.face_detection.coco_report import LANDMARKS
from pipelines.face_detection.sighting import Sighting
from pipelines.outputs.csv_table import Cell, write_csv
from pipelines.outputs.tiers import TierSegment, without_overlap, write_tiers

_BOX = ("x_pixels", "y_pixels", "width_pixels", "height_pixels")
_POINTS = tuple(f"{name}_{axis}_pixels" for name in LANDMARKS for axis in "xy")
_COLUMNS = ("face", "frame", "time_seconds", *_BOX, "score", *_POINTS)


def write_face_table(path: Path, sightings: Sequence[Sighting]) -> None:
    write_csv(path, _COLUMNS, _rows(sightings))


def write_face_tiers(path: Path, sightings: Sequence[Sighting], *, interval: float) -> None:
    """From where a face is first seen to `interval` seconds, one look, after it is last seen."""
    write_tiers(path, without_overlap("faces", _segments(sightings, interval)))


def _rows(sightings: Sequence[Sighting]) -> Iterator[Sequence[Cell]]:
    for sighting in sightings:
        for face, box in enumerate(sighting.boxes):
            points = sighting.faces.landmarks[face].reshape(-1).tolist()
            yield (
                int(sighting.numbers[face]),
                sighting.frame,
                round(sighting.time, 3),
                *(round(side, 2) for side in box),
                round(float(sighting.faces.scores[face]), 4),
                *(round(point, 2) for point in points),
            )


def _segments(sightings: Sequence[Sighting], interval: float) -> list[TierSegment]:
    seen: dict[int, tuple[float, float]] = {}
    for sighting in sightings:
        for number in sighting.numbers.tolist():
            first, _last = seen.get(number, (sighting.time, sighting.time))
            seen[number] = (first, sighting.time)
    return [
        TierSegment(first, last + interval, f"face {number}")
        for number, (first, last) in seen.items()
    ]
