"""Looks for faces, frame by frame."""

import math
from collections.abc import Iterable, Iterator

import numpy as np

from pipelines.decoding import Frame
from pipelines.device import BatchSize, Device, in_batches
from pipelines.face_detection.config import FaceDetectionConfig
from pipelines.face_detection.decode import Faces, decode
from pipelines.face_detection.network import GRANULE, load_network
from pipelines.face_detection.sighting import Sighting
from pipelines.face_detection.tracking import Tracker, Untracked
from pipelines.fitting import scale_to_fit
from pipelines.media import VideoStream
from pipelines.stopwatch import Stopwatch


def network_size(video: VideoStream, maximum_side: int) -> tuple[int, int]:
    """Width and height of the network's images: the video's scaled down to `maximum_side`, then
    up to whole granules, which stretches it a little.
    """
    scale = scale_to_fit(video, maximum_side, maximum_side, enlarge=False)
    width, height = (
        math.ceil(side * scale / GRANULE) * GRANULE for side in (video.width, video.height)
    )
    return width, height


def detect(
    looks: Iterable[Frame],
    video: VideoStream,
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

    for look, found in in_batches(find, looks, batch):
        height, width, _ = look.image.shape
        faces = found.scaled(video.width / width, video.height / height)
        faces = faces.at_least(config.minimum_face_size)
        numbers = tracker.update(look, faces)
        yield look, Sighting(look.index, look.time, faces, numbers)
