"""Single frames out of the middle of a video, for previews."""

from collections.abc import Iterator, Sequence

import av
import numpy as np
import numpy.typing as npt

from pipelines.container import clock_start, open_container, video_stream
from pipelines.damage import Damage
from pipelines.decoding import decoded
from pipelines.display import Display
from pipelines.media import Media

_NEVER = float("-inf")


def snapshots(
    media: Media, times: Sequence[float], size: tuple[int, int]
) -> Iterator[npt.NDArray[np.uint8]]:
    """A frame at or soon after each of `times` (seconds, ascending) of `size` = (width, height).

    Jumps from key frame to key frame where the file has an index, decodes nothing twice, and
    leaves out frames that no other frame needs. Where the video ends early its last frame serves.
    """
    with open_container(media.path) as container:
        stream = video_stream(container)
        if stream is None or media.video is None:
            return
        stream.thread_type = "AUTO"
        stream.codec_context.skip_frame = "NONREF"
        display = Display(media.video, size)
        start = clock_start(container, stream)
        frame, position, ahead = None, _NEVER, decoded(container, media, stream, Damage())
        for time in times:
            if _key_frame_before(stream, time + start) > position:
                container.seek(_ticks(stream, time + start), stream=stream)
                ahead = decoded(container, media, stream, Damage())
            while position < time + start and (following := next(ahead, None)) is not None:
                frame = following
                position = position if frame.time is None else frame.time
            if frame is not None:
                yield display.show(frame)


def _key_frame_before(stream: av.VideoStream, time: float) -> float:
    entries = stream.index_entries
    place = entries.search_timestamp(_ticks(stream, time), backward=True)
    if place < 0 or stream.time_base is None:
        return _NEVER
    return float(entries[place].timestamp * stream.time_base)


def _ticks(stream: av.VideoStream, time: float) -> int:
    return round(time / stream.time_base) if stream.time_base else 0
