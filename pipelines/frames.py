"""The frames of a video as a player shows them: in order, at their times, each in its own size.

Memory stays flat however long the video is. Times are seconds on the clock of a player: 0 is the
container's start (see `pipelines.container.clock_start`).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import av
import numpy as np
import numpy.typing as npt

from pipelines.container import clock_start, open_container
from pipelines.damage import Damage
from pipelines.decoder_limits import check_picture, limit_decoder
from pipelines.decoding import decoded, never, picture_stream
from pipelines.display import Display
from pipelines.displayed_size import DisplayedSize
from pipelines.errors import MediaError
from pipelines.fitting import Size, fit
from pipelines.media import Media
from pipelines.timeline import believed

_DEFAULT_FRAME_RATE = 25


@dataclass(frozen=True)
class Frame:
    """A decoded frame.

    Attributes:
        index: place in the video, from 0, in the order of display; frames that were left out count.
        time: seconds on the player's clock.
        duration: how long it is shown, in seconds; 0 where the file does not say.
        size: of the frame as displayed; a video may change it on the way.
        image: (height, width, 3) uint8 RGB, turned as displayed, and scaled as asked for.

    Example:
        >>> frame = next(frames(probe(Path("video.mp4"))))
        >>> frame.index, frame.time, frame.image.shape
        (0, 0.0, (48, 64, 3))
    """

    index: int
    time: float
    duration: float
    size: Size
    image: npt.NDArray[np.uint8]


@dataclass(frozen=True)
class TimedFrame:
    """A frame as libav has it, with its place, and its time on the player's clock."""

    index: int
    time: float
    duration: float
    picture: av.VideoFrame


def frames(
    media: Media,
    *,
    size: tuple[int, int] | Callable[[Size], Size] | None = None,
    max_side: int | None = None,
    rate: float | None = None,
    damage: Damage | None = None,
    stopped: Callable[[], bool] = never,
    reached: Callable[[float], None] | None = None,
) -> Iterator[Frame]:
    """The frames of the video in the order of display, decoded as they are asked for; none for
    media without video.

    Args:
        media: what `probe` said of the file.
        size: (width, height) of all images, aspect or not; or what tells the size of an image
            from that of the frame on display.
        max_side: scales each frame down, never up, until neither side is longer.
        rate: at most so many frames per second of the video's clock.
        damage: told what is wrong with the file.
        stopped: asked between packets whether to end early.
        reached: told the time of each frame that is decoded, also of those that `rate` leaves out.

    Raises MediaError, a PipelineError, when the file is not what it was.

    Example:
        >>> media = probe(Path("video.mp4"))
        >>> [round(frame.time, 1) for frame in frames(media, rate=2)]
        [0.0, 0.5, 1.0, 1.5]
        >>> next(frames(media, max_side=32)).image.shape
        (24, 32, 3)
    """
    if media.video is None:
        return
    with open_container(media.path) as container:
        stream = picture_stream(container, media)
        if stream is None:
            raise MediaError("The file has lost its video.", "Was it changed during the run?")
        limit_decoder(stream)
        display, displayed = Display(), DisplayedSize(container, stream)
        start = clock_start(container, stream)
        size_of = _scaling(size, max_side)
        source = decoded(container, media, stream, damage or Damage(), stopped)
        for frame in _picked(timed(source, start, step_of(stream)), rate, reached):
            picture = frame.picture
            check_picture(picture.width, picture.height, picture.format)
            shown = displayed.of(picture)
            image = display.show(picture, size_of(shown))
            yield Frame(frame.index, frame.time, frame.duration, shown, image)


def timed(source: Iterator[av.VideoFrame], start: float, step: float) -> Iterator[TimedFrame]:
    """Gives each frame its time on a clock that begins at `start`. No time runs back.

    A frame without a time follows the one before, which was shown for as long as it says, or else
    for `step` seconds.
    """
    following = time = 0.0
    for index, (own, frame) in enumerate(believed((frame.time, frame) for frame in source)):
        time = following if own is None else max(time, own - start)
        duration = float((frame.duration or 0) * (frame.time_base or 0))
        following = time + (duration or step)
        yield TimedFrame(index, time, duration, frame)


def end_of(last: Frame, media: Media, damage: Damage) -> float:
    """When the video's last frame is no longer shown: by its own duration, or else when the video
    ends, or else when the file does. A file with damage may have lost what its ends are those of.
    """
    if last.duration:
        return last.time + last.duration
    video = media.video
    rate = (video.frame_rate if video else None) or _DEFAULT_FRAME_RATE
    is_whole = damage.coverage is None or damage.coverage.complete
    told = (video.end_seconds if video else 0.0, media.duration_seconds) if is_whole else ()
    return next((end for end in told if end > last.time), last.time + 1 / rate)


def step_of(stream: av.VideoStream) -> float:
    """For how many seconds a frame is shown on average."""
    return 1 / float(stream.average_rate or _DEFAULT_FRAME_RATE)


def _scaling(
    size: tuple[int, int] | Callable[[Size], Size] | None, max_side: int | None
) -> Callable[[Size], Size]:
    """What tells how large an image becomes."""
    if callable(size):
        return size
    if size is not None:
        exact = Size(*size)
        return lambda _shown: exact
    if max_side is not None:
        return lambda shown: fit(shown, max_side, max_side, enlarge=False)
    return lambda shown: shown


def _picked(
    source: Iterator[TimedFrame],
    rate: float | None,
    reached: Callable[[float], None] | None,
) -> Iterator[TimedFrame]:
    """Keeps to the beat of `rate`, so that the mean rate holds, and starts anew after a gap.

    A thousandth of the beat makes up for times rounded to the stream's ticks.
    """
    beat = 1 / rate if rate else 0.0
    due = float("-inf")
    for frame in source:
        if reached is not None:
            reached(frame.time)
        if frame.time + beat / 1000 < due:
            continue
        due = due + beat if due + beat > frame.time else frame.time + beat
        yield frame
