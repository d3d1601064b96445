"""Which face is the same as in the frames before: ByteTrack by the library edgefirst-tracker."""

import numpy as np
import numpy.typing as npt
from edgefirst.tracker import ByteTrack

from pipelines.face_detection.decode import Faces, Floats
from pipelines.face_detection.shots import ShotChange
from pipelines.frames import Frame

#: A face out of sight for longer than this is a new one.
_MEMORY_SECONDS = 2.0
#: At low sample rates the memory spans at least so many looks.
_MEMORY_LOOKS = 3
_OVERLAP = 0.1
#: Boxes are compared with this share of their sides added all around.
_BUFFER = 0.5
_NANOSECONDS = 1_000_000_000


class Tracker:
    """Numbers faces from 1, the same number while a face is in sight; a cut begins anew.

    Every face counts, as the config's threshold has decided already. Between two looks a face may
    move by more than its width, so boxes are matched with a buffer around them (Yang et al.,
    "Hard to Track Objects with Irregular Motions and Similar Appearances? Make It Easier by
    Buffering the Matching Space", 2023). docs/decisions/0003-tracker.md tells how the numbers
    were found.
    """

    def __init__(self, sample_rate: float) -> None:
        memory = max(_MEMORY_SECONDS, _MEMORY_LOOKS / sample_rate)
        self._lifespan = round(memory * _NANOSECONDS)
        self._tracks = self._no_tracks()
        self._change = ShotChange()
        self._numbers: dict[str, int] = {}
        self._given = 0
        self._size: tuple[int, int] | None = None

    def update(self, look: Frame, faces: Faces) -> npt.NDArray[np.int32]:
        """The number of each face in `look`; call it for every look, in order of time.

        A face keeps its number where the picture changes its size: boxes are compared in pixels of
        the first look's size.
        """
        width, height = self._size = self._size or look.size
        faces = faces.scaled(width / look.size.width, height / look.size.height)
        if self._change.between(look.image):
            self._tracks = self._no_tracks()
        tracks = self._tracks.update(
            _buffered(faces.boxes),
            faces.scores,
            np.zeros(len(faces), np.uintp),
            round(max(0.0, look.time) * _NANOSECONDS),
        )
        return np.array(
            [self._number(None if track is None else track.uuid) for track in tracks], np.int32
        )

    def _no_tracks(self) -> ByteTrack:
        return ByteTrack(high_conf=0.0, iou=_OVERLAP, update=1.0, lifespan_ns=self._lifespan)

    def _number(self, track: str | None) -> int:
        known = None if track is None else self._numbers.get(track)
        if known is not None:
            return known
        self._given += 1
        if track is not None:
            self._numbers[track] = self._given
        return self._given


class Untracked:
    """Numbers every face in every frame from 1."""

    def __init__(self) -> None:
        self._given = 0

    def update(self, _look: Frame, faces: Faces) -> npt.NDArray[np.int32]:
        first = self._given + 1
        self._given += len(faces)
        return np.arange(first, first + len(faces), dtype=np.int32)


def _buffered(boxes: Floats) -> Floats:
    around = (boxes[:, 2:] - boxes[:, :2]) * np.float32(_BUFFER)
    return np.hstack([boxes[:, :2] - around, boxes[:, 2:] + around])
