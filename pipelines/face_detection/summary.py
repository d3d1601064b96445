"""What was found, in words and rows for people."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipelines.face_detection.sighting import Sighting
from pipelines.outputs.picture import timestamp

#: What the columns of the table hold.
COLUMNS = {
    "face": "Number of the face, as in the COCO file",
    "first seen": "On the video's clock, minutes:seconds",
    "last seen": "On the video's clock, minutes:seconds",
    "times seen": "Frames in which the face was found",
    "best score": "How sure the network was at best, from 0 to 1",
}

_ROWS = 24


@dataclass
class _Track:
    first: float
    last: float
    sightings: int = 0
    best: float = 0.0


def faces_seen(sightings: Sequence[Sighting]) -> int:
    """How many times a face was seen: the number of annotations."""
    return sum(len(sighting.faces) for sighting in sightings)


def tracks_seen(sightings: Sequence[Sighting]) -> int:
    return len({number for sighting in sightings for number in sighting.numbers.tolist()})


def in_words(sightings: Sequence[Sighting], *, tracked: bool) -> str:
    """One line: "2 faces, seen 31 times in 40 frames"."""
    seen, frames = faces_seen(sightings), _counted(len(sightings), "frame")
    if not seen:
        return f"No face in {frames}"
    if not tracked:
        return f"{_counted(seen, 'face')} in {frames}"
    return f"{_counted(tracks_seen(sightings), 'face')}, seen {_counted(seen, 'time')} in {frames}"


def as_table(sightings: Sequence[Sighting]) -> list[Mapping[str, str | int | float]]:
    """A row for each tracked face, those seen most often first."""
    tracks: dict[int, _Track] = {}
    for sighting in sightings:
        scores = sighting.faces.scores.tolist()
        for number, score in zip(sighting.numbers.tolist(), scores, strict=True):
            track = tracks.setdefault(number, _Track(sighting.time, sighting.time))
            track.last = sighting.time
            track.sightings += 1
            track.best = max(track.best, score)
    often = sorted(tracks.items(), key=lambda item: -item[1].sightings)
    return [
        {
            "face": number,
            "first seen": timestamp(track.first),
            "last seen": timestamp(track.last),
            "times seen": track.sightings,
            "best score": round(track.best, 2),
        }
        for number, track in often[:_ROWS]
    ]


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
