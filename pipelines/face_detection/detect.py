"""Looks for faces, frame by frame."""

import math
from collections.abc import Iterable, Iterator
from itertools import groupby

import numpy as np

from pipelines.device import BatchSize, Device, in_batches
from pipelines.face_detection.config import FaceDetectionConfig
from pipelines.face_detection.decode import Faces, decode
from pipelines.face_detection.network import GRANULE, load_network
from pipelines.face_detection.sighting import Sighting
from pipelines.face_detection.tracking import Tracker, Untracked
from pipelines.fitting import Size, scale_to_fit
from pipelines.frames import Frame
from pipelines.stopwatch import Stopwatch


def network_size(size: Size, maximum_side: int) -> Size:
    """How large the network's image of a frame is: scaled down to `maximum_side`, then up to whole
    granules, which stretches it a little.
    """
    scale = scale_to_fit(size, maximum_side, maximum_side, enlarge=False)
    width, height = (math.ceil(side * scale / GRANULE) * GRANULE for side in size)
    return Size(width, height)


def detect(
    looks: Iterable[Frame],
    config: FaceDetectionConfig,
    *,
    device: Device,
    batch: BatchSize,
    stopwatch: Stopwatch,
) -> Iterator[tuple[Frame, Sighting]]:
    """Each of `looks`, frames of `network_size`, with the faces in it.

    Raises ModelUnavailableError and GpuOutOfMemoryError.
    """
    with stopwatch.inference():
        network = load_network(device)
    tracker = Tracker(config.sample_rate) if config.tracking else Untracked()

    def find(batch_of_looks: list[Frame]) -> list[tuple[Frame, Faces]]:
        with stopwatch.inference():
            heads = network(np.stack([look.image for look in batch_of_looks]))
            return [
                (look, decode(heads, place, config.threshold))
                for place, look in enumerate(batch_of_looks)
            ]

    for _, alike in groupby(looks, key=lambda look: look.image.shape):
        for look, found in in_batches(find, alike, batch):
            height, width, _ = look.image.shape
            faces = found.scaled(look.size.width / width, look.size.height / height)
            faces = faces.at_least(config.minimum_face_size)
            numbers = tracker.update(look, faces)
            yield look, Sighting(look.index, look.time, look.size, faces, numbers)
