"""The windows in which TransNetV2 sees a video, made while the frames stream by."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from pipelines.scene_detection.network import CONTEXT, WINDOW

#: How many frames' scores a window gives, and how far windows are apart.
STEP = WINDOW - 2 * CONTEXT


def windows(images: Iterator[npt.NDArray[np.uint8]]) -> Iterator[npt.NDArray[np.uint8]]:
    """Overlapping windows of (100, height, width, 3), each 50 frames after the one before.

    Window n gives the scores of frames 50n to 50n + 49. As context before the first frame and
    after the last one these are repeated, the way the network's authors do; the scores behind
    the last frame are to be dropped.
    """
    first = next(images, None)
    if first is None:
        return
    held = [first] * (CONTEXT + 1)
    for image in images:
        held.append(image)
        if len(held) == WINDOW:
            yield np.stack(held)
            held = held[STEP:]
    while len(held) > CONTEXT:
        yield np.stack(held + [held[-1]] * (WINDOW - len(held)))
        held = held[STEP:]
