"""Looks for faces through a whole video, decoding ahead of the network."""

import math
from collections.abc import Iterator

import numpy as np

from pipelines.decoding import Damage, Frame, frames
from pipelines.device import BatchSize, Device, in_batches
from pipelines.face_detection.config import FaceDetectionConfig
from pipelines.face_detection.decode import Faces, decode
from pipelines.face_detection.network import GRANULE, load_network
from pipelines.face_detection.sighting import Sighting
from pipelines.face_detection.tracking import Tracker, Untracked
from pipelines.media import Media, VideoStream
from pipelines.prefetch import prefetched
from pipelines.stopwatch import Stopwatch

_BATCHES_AHEAD = 2


def detect(
    media: Media,
    config: FaceDetectionConfig,
    *,
    device: Device,
    batch: BatchSize,
    stopwatch: Stopwatch,
    damage: Damage,
) -> Iterator[tuple[Frame, Sighting]]:
    """Each frame looked at, as the network saw it, with its faces; none without video.

    Raises ModelUnavailableError, GpuOutOfMemoryError and what decoding raises.
    """
    if media.video is None:
        return
    with stopwatch.inference():
        network = load_network(device)
    width, height = _network_size(media.video, config.maximum_side)
    scale = media.video.width / width, media.video.height / height
    tracker = Tracker(config.sample_rate) if config.tracking else Untracked()

    def find(looks: list[Frame]) -> list[tuple[Frame, Faces]]:
        with stopwatch.inference():
            heads = network(np.stack([look.image for look in looks]))
            found = [decode(heads, image, config.threshold) for image in range(len(looks))]
        return list(zip(looks, found, strict=True))

    source = frames(media, size=(width, height), rate=config.sample_rate, damage=damage)
    with prefetched(source, _BATCHES_AHEAD * batch.size) as ready:
        for frame, found in in_batches(find, stopwatch.decoding(ready), batch):
            faces = found.scaled(*scale).at_least(config.minimum_face_size)
            numbers = tracker.update(frame.time, faces)
            yield frame, Sighting(frame.index, frame.time, faces, numbers)


def _network_size(video: VideoStream, maximum_side: int) -> tuple[int, int]:
    """Scaled down to `maximum_side`, then up to whole granules, which stretches a little."""
    shrink = min(1.0, maximum_side / max(video.width, video.height))
    width, height = (
        math.ceil(side * shrink / GRANULE) * GRANULE for side in (video.width, video.height)
    )
    return width, height
