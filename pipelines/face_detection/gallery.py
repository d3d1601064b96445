"""Keeps the few frames that show best which faces there are, while a long video streams by."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from PIL import Image

from pipelines.face_detection.sighting import Sighting
from pipelines.fitting import Size, fit_inside

_SLOTS = 12
_FACES = 24


@dataclass(frozen=True)
class Shot:
    """A frame, scaled down, and the faces in it."""

    image: Image.Image
    sighting: Sighting

    @property
    def numbers(self) -> frozenset[int]:
        return frozenset(self.sighting.numbers.tolist())


@dataclass
class Gallery:
    """Candidates for the preview: the best frame of each twelfth of the video, and of each face.

    At most 36 pictures that fit into `room` are held; when there are more faces than 24, those
    seen most clearly stay.
    """

    room: Size
    duration: float
    _slots: dict[int, tuple[float, Shot]] = field(default_factory=dict, init=False)
    _faces: dict[int, tuple[float, Shot]] = field(default_factory=dict, init=False)

    def offer(self, image: npt.NDArray[np.uint8], sighting: Sighting) -> None:
        """Keeps the frame if it is the best so far for its time or for a face in it."""
        slot = min(
            _SLOTS - 1, int(_SLOTS * sighting.time / max(self.duration, sighting.time, 1e-9))
        )
        worth = float(sighting.faces.scores.sum())
        scores = dict(zip(sighting.numbers.tolist(), sighting.faces.scores.tolist(), strict=True))
        better = [number for number, score in scores.items() if self._improves(number, score)]
        best_of_slot = slot not in self._slots or worth > self._slots[slot][0]
        if not better and not best_of_slot:
            return
        size = fit_inside(sighting.size, self.room)
        shot = Shot(Image.fromarray(image).resize(size, Image.Resampling.LANCZOS), sighting)
        if best_of_slot:
            self._slots[slot] = (worth, shot)
        for number in better:
            self._faces[number] = (scores[number], shot)
        while len(self._faces) > _FACES:
            del self._faces[min(self._faces, key=lambda number: self._faces[number][0])]

    def choose(self, most: int) -> list[Shot]:
        """At most `most` shots in order of time: all faces if it can be, then far apart in time."""
        kept = [shot for _, shot in (*self._faces.values(), *self._slots.values())]
        shots = list({shot.sighting.frame: shot for shot in kept}.values())
        with_faces = [shot for shot in shots if shot.numbers]
        return _spread(with_faces or shots, most)

    def _improves(self, number: int, score: float) -> bool:
        if number in self._faces:
            return score > self._faces[number][0]
        if len(self._faces) < _FACES:
            return True
        return score > min(score for score, _ in self._faces.values())


def _spread(shots: list[Shot], most: int) -> list[Shot]:
    chosen: list[Shot] = []
    shown: frozenset[int] = frozenset()
    while shots and len(chosen) < most:
        best = max(shots, key=lambda shot: (len(shot.numbers - shown), _distance(shot, chosen)))
        shots = [shot for shot in shots if shot is not best]
        chosen.append(best)
        shown |= best.numbers
    return sorted(chosen, key=lambda shot: shot.sighting.time)


def _distance(shot: Shot, others: list[Shot]) -> float:
    """Seconds to the nearest of `others`."""
    return min((abs(shot.sighting.time - other.sighting.time) for other in others), default=0.0)
