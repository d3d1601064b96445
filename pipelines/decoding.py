"""Reading a media's content as a stream: frames as displayed, with true times.

Memory stays flat however long the media is. Times are seconds on the clock of a player: 0 is the
container's start (see `pipelines.container.clock_start`).
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import av
import numpy as np
import numpy.typing as npt
from av.container import InputContainer
from av.stream import Stream

from pipelines.container import clock_start, open_container, packets, video_stream
from pipelines.damage import Damage
from pipelines.display import Display
from pipelines.errors import MediaError
from pipelines.fitting import fit
from pipelines.media import MOST_PIXELS, Media, VideoStream
from pipelines.timeline import Timeline, believed
from pipelines.watch import Watch, is_sequential

_DEFAULT_FRAME_RATE = 25


@dataclass(frozen=True)
class Frame:
    """A decoded frame.

    Attributes:
        index: place in the video, from 0, in the order of display; frames that were left out count.
        time: seconds on the player's clock.
        image: (height, width, 3) uint8 RGB, turned as displayed.
    """

    index: int
    time: float
    image: npt.NDArray[np.uint8]


def never() -> bool:
    return False


def frames(
    media: Media,
    *,
    size: tuple[int, int] | None = None,
    max_side: int | None = None,
    rate: float | None = None,
    damage: Damage | None = None,
    stopped: Callable[[], bool] = never,
    reached: Callable[[float], None] | None = None,
) -> Iterator[Frame]:
    """The frames of the video in the order of display; none for media without video.

    Args:
        media: what `probe` said of the file.
        size: exact (width, height) of the images, aspect or not.
        max_side: scales down, never up, until neither side is longer.
        rate: at most so many frames per second of the video's clock.
        damage: counts what is wrong with the file.
        stopped: asked between packets whether to end early (see `pipelines.prefetch`).
        reached: told the time of each frame that is decoded, also of those that `rate` leaves out.

    Raises MediaError when the file is not what it was.
    """
    if media.video is None:
        return
    display = Display(media.video, size or _size(media.video, max_side))
    source = _video_frames(media, damage or Damage(), stopped)
    for index, time, frame in _picked(source, rate, reached):
        yield Frame(index, time, display.show(frame))


def decoded(
    container: InputContainer,
    media: Media,
    stream: av.VideoStream | av.AudioStream,
    damage: Damage,
    stopped: Callable[[], bool] = never,
) -> Iterator[Any]:
    """The stream's frames from where the container is, with times that run on where the file's
    jump; `damage` is told what cannot be read, and at the end how far the stream goes.
    """
    timeline, before = Timeline(container), damage.jumps
    watch = Watch(container, media, stream, damage)
    for packet in packets(container, *_streams(container, media), failed=damage.fail):
        if stopped():
            return
        timeline.straighten(packet)
        damage.jumps = before + timeline.jumps
        watch.see_packet(packet)
        if packet.stream.index != stream.index:
            continue
        for frame in _frames(packet, watch):
            watch.see_frame(frame)
            yield frame
    watch.finish()


def _frames(packet: "av.Packet[Any]", watch: Watch) -> Sequence[Any]:
    """What the packet decodes to; nothing where it does not."""
    try:
        return packet.decode()
    except av.FFmpegError:
        watch.lose(packet)
        return ()


def sound_stream(container: InputContainer, media: Media) -> av.AudioStream | None:
    """The stream of sound that `probe` chose."""
    index = None if media.audio is None else media.audio.index
    return next((stream for stream in container.streams.audio if stream.index == index), None)


def _streams(container: InputContainer, media: Media) -> list[Stream]:
    """Those whose times are the file's clock; where packets lie one after another, all of them, so
    that it shows when one is passed over.
    """
    if is_sequential(container):
        return list(container.streams)
    both = (video_stream(container), sound_stream(container, media))
    return [stream for stream in both if stream is not None]


def _size(video: VideoStream, max_side: int | None) -> tuple[int, int]:
    if max_side is None:
        return video.width, video.height
    return fit(video, max_side, max_side, enlarge=False)


def _video_frames(
    media: Media, damage: Damage, stopped: Callable[[], bool]
) -> Iterator[tuple[int, float, av.VideoFrame]]:
    """Index, time and frame; a frame without a time follows the one before; no time runs back."""
    with open_container(media.path) as container:
        stream = video_stream(container)
        if stream is None:
            raise MediaError("The file has lost its video.", "Was it changed during the run?")
        stream.codec_context.options = {"max_pixels": str(MOST_PIXELS)}
        stream.thread_type = "AUTO"
        start = clock_start(container, stream)
        step = 1 / float(stream.average_rate or _DEFAULT_FRAME_RATE)
        time = -step
        source = decoded(container, media, stream, damage, stopped)
        timed = believed((frame.time, frame) for frame in source)
        for index, (own, frame) in enumerate(timed):
            time = time + step if own is None else max(time, 0.0, own - start)
            yield index, time, frame


def _picked(
    source: Iterator[tuple[int, float, av.VideoFrame]],
    rate: float | None,
    reached: Callable[[float], None] | None,
) -> Iterator[tuple[int, float, av.VideoFrame]]:
    """Keeps to the beat of `rate`, so that the mean rate holds, and starts anew after a gap.

    A thousandth of the beat makes up for times rounded to the stream's ticks.
    """
    beat = 1 / rate if rate else 0.0
    due = float("-inf")
    for index, time, frame in source:
        if reached is not None:
            reached(time)
        if time + beat / 1000 < due:
            continue
        due = due + beat if due + beat > time else time + beat
        yield index, time, frame
