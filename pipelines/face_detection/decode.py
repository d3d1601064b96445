"""From the network's heads to faces: pure functions of arrays."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipelines.face_detection.network import Heads

Floats = npt.NDArray[np.float32]

_CELL = 4  # pixels
_OVERLAP = 0.3
#: A face lights up a handful of cells; only a picture of noise has more cells than this.
_MOST_CANDIDATES = 2000
#: Logarithm of the size in cells: e^8 cells are 12,000 pixels.
_LARGEST_SCALE = 8.0


@dataclass(frozen=True)
class Faces:
    """The faces in one frame, best first.

    Attributes:
        boxes: (n, 4) left, top, right, bottom in pixels.
        scores: (n,) from 0 to 1.
        landmarks: (n, 5, 2) x, y of left eye, right eye, nose, left and right corner of the mouth
            as the viewer sees them.
    """

    boxes: Floats
    scores: Floats
    landmarks: Floats

    def __len__(self) -> int:
        return len(self.scores)

    def __getitem__(self, chosen: npt.NDArray[np.bool_] | npt.NDArray[np.intp]) -> "Faces":
        return Faces(self.boxes[chosen], self.scores[chosen], self.landmarks[chosen])

    def scaled(self, horizontal: float, vertical: float) -> "Faces":
        factors = np.array([horizontal, vertical], np.float32)
        return Faces(self.boxes * np.tile(factors, 2), self.scores, self.landmarks * factors)

    def at_least(self, pixels: float) -> "Faces":
        """Those whose box's shorter side is `pixels` or more."""
        sides = self.boxes[:, 2:] - self.boxes[:, :2]
        return self[sides.min(axis=1) >= pixels]


def decode(heads: Heads, image: int, threshold: float) -> Faces:
    """The faces in image number `image` of a batch, in pixels of the network's image.

    The formulas are CenterFace's (section 3): a face is centred in a cell whose heat reaches the
    threshold; boxes that overlap a better one by more than 0.3 of their union are left out, and
    the others are clipped to the image.
    """
    heat = heads.heat[image, 0]
    rows, columns = np.nonzero(heat >= threshold)
    scores = heat[rows, columns]
    best = np.argsort(-scores, kind="stable")[:_MOST_CANDIDATES]
    rows, columns, scores = rows[best], columns[best], scores[best]
    scale = np.minimum(heads.scale[image][:, rows, columns], _LARGEST_SCALE)
    sizes = np.exp(scale).T[:, ::-1] * _CELL
    offsets = heads.offset[image][:, rows, columns].T[:, ::-1]
    corners = (np.stack([columns, rows], axis=1) + offsets + 0.5) * _CELL - sizes / 2
    points = heads.landmarks[image][:, rows, columns].T.reshape(-1, 5, 2)[..., ::-1]
    landmarks = corners[:, None] + points * sizes[:, None]
    limits = np.array([heat.shape[1], heat.shape[0]] * 2) * _CELL
    boxes = np.clip(np.hstack([corners, corners + sizes]), 0, limits)
    faces = Faces(boxes.astype(np.float32), scores.astype(np.float32), landmarks.astype(np.float32))
    return faces[_best_of_overlapping(faces.boxes)]


def _best_of_overlapping(boxes: Floats) -> npt.NDArray[np.intp]:
    """Which of `boxes`, best first, overlap no better one that is kept."""
    kept: list[int] = []
    waiting = np.arange(len(boxes))
    while waiting.size:
        best, waiting = int(waiting[0]), waiting[1:]
        kept.append(best)
        waiting = waiting[_overlaps(boxes[best], boxes[waiting]) < _OVERLAP]
    return np.array(kept, np.intp)


def _overlaps(box: Floats, others: Floats) -> Floats:
    """Intersection over union of `box` with each of `others`."""
    corner = np.maximum(box[:2], others[:, :2])
    shared = np.clip(np.minimum(box[2:], others[:, 2:]) - corner, 0, None).prod(axis=1)
    together = (box[2:] - box[:2]).prod() + (others[:, 2:] - others[:, :2]).prod(axis=1) - shared
    overlaps: Floats = shared / np.maximum(together, np.finfo(np.float32).tiny)
    return overlaps
