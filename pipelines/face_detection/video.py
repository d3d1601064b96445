"""The annotated video: the whole video once more, with the boxes drawn, without sound."""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import partial
from operator import attrgetter
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt
from PIL import Image

from contracts.atomic_file import replacing
from pipelines.display import centred
from pipelines.face_detection.drawing import Marked, draw_faces, marked
from pipelines.face_detection.sighting import Sighting
from pipelines.fitting import fit, fit_inside
from pipelines.frames import frames
from pipelines.media import Media
from pipelines.streams import VideoStream

#: What players take; sides are even, as H.264's colour asks for.
_LONGEST_SIDE = 1920
_CLOCK = 90_000
_DEFAULT_RATE = 25


def write_video(
    path: Path,
    media: Media,
    video: VideoStream,
    sightings: Sequence[Sighting],
    *,
    tracked: bool,
    report: Callable[[float], None],
) -> None:
    """Writes an H.264 MP4 with the video's own times; `report` is told the time of each frame.

    Its pictures are in the shape of the first frame: those of another shape are set on black.
    """
    size = fit(video.size, _LONGEST_SIDE, _LONGEST_SIDE, enlarge=False, multiple=2)
    with replacing(path) as temporary, av.open(str(temporary), "w") as container:
        stream: Any = container.add_stream(
            "libx264",
            round(video.frame_rate or 0) or _DEFAULT_RATE,
            options={"preset": "veryfast"},
        )
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        stream.time_base = stream.codec_context.time_base = Fraction(1, _CLOCK)
        tick = -1
        for frame in frames(media, size=partial(fit_inside, room=size)):
            picture = Image.fromarray(frame.image)
            draw_faces(picture, faces_at(frame.time, sightings), tracked=tracked)
            tick = max(tick + 1, round(frame.time * _CLOCK))
            container.mux(stream.encode(_video_frame(centred(np.asarray(picture), size), tick)))
            report(frame.time)
        container.mux(stream.encode(None))


def faces_at(time: float, sightings: Sequence[Sighting]) -> list[Marked]:
    """The faces to draw at `time`: those of the sighting before it, each moved in a straight line
    towards where the next sighting has it.
    """
    following = bisect_right(sightings, time, key=attrgetter("time"))
    if following == 0:
        return []
    before = sightings[following - 1]
    faces = marked(before)
    if following == len(sightings) or time == before.time:
        return faces
    after = sightings[following]
    share = (time - before.time) / (after.time - before.time)
    targets = {face.number: face for face in marked(after)}
    return [_moved(face, targets.get(face.number, face), share) for face in faces]


def _moved(face: Marked, target: Marked, share: float) -> Marked:
    x, y, width, height = (
        start + share * (end - start) for start, end in zip(face.box, target.box, strict=True)
    )
    points = tuple(
        (x1 + share * (x2 - x1), y1 + share * (y2 - y1))
        for (x1, y1), (x2, y2) in zip(face.points, target.points, strict=True)
    )
    return replace(face, box=(x, y, width, height), points=points)


def _video_frame(picture: npt.NDArray[np.uint8], tick: int) -> av.VideoFrame:
    frame = av.VideoFrame.from_ndarray(picture, "rgb24")
    frame.pts, frame.time_base = tick, Fraction(1, _CLOCK)
    return frame
