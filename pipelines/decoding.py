"""Reading a media's content as a stream: frames as displayed, sound as mono, both with true times.

Memory stays flat however long the media is. Times are seconds on the clock of a player: 0 is the
container's start (see `pipelines.container.clock_start`).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import av
import numpy as np
import numpy.typing as npt
from av.container import InputContainer

from pipelines.container import clock_start, open_container, packets, video_stream
from pipelines.display import Display
from pipelines.errors import MediaError
from pipelines.fitting import fit
from pipelines.media import MOST_PIXELS, Media, VideoStream
from pipelines.timeline import Timeline, believed

_DEFAULT_FRAME_RATE = 25
#: How far sound may be off the clock before silence is put in, or what overlaps is left out.
_TOLERANCE_SECONDS = 0.02


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


@dataclass
class Damage:
    """Counts what is wrong with the file, while decoding goes on behind it.

    Attributes:
        packets: those that could not be decoded.
        jumps: how often the file's clock jumped; times run on there.
    """

    packets: int = 0
    jumps: int = 0

    @property
    def notes(self) -> list[str]:
        notes = []
        if self.packets:
            notes.append(
                f"The file is damaged: {self.packets} of its packets could not be decoded."
            )
        if self.jumps:
            jumps = "once" if self.jumps == 1 else f"{self.jumps} times"
            notes.append(
                f"The file's clock jumps {jumps}, as where recordings were joined: "
                "times here run on without a break."
            )
        return notes


def _never() -> bool:
    return False


def frames(
    media: Media,
    *,
    size: tuple[int, int] | None = None,
    max_side: int | None = None,
    rate: float | None = None,
    damage: Damage | None = None,
    stopped: Callable[[], bool] = _never,
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


def audio(
    media: Media,
    *,
    sample_rate: int = 16_000,
    chunk_seconds: float = 30,
    damage: Damage | None = None,
    stopped: Callable[[], bool] = _never,
) -> Iterator[npt.NDArray[np.float32]]:
    """The sound as mono in chunks of (samples,) float32 in -1 to 1; none for media without sound.

    Sample n is heard at n / `sample_rate` on the player's clock: a late start and holes are filled
    with silence, and what overlaps by less than a second is left out. All chunks but the last are
    `chunk_seconds` long.

    Raises MediaError when the file is not what it was.
    """
    if media.audio is None:
        return
    length = max(1, round(chunk_seconds * sample_rate))
    waiting: list[npt.NDArray[np.float32]] = []
    count = 0
    for piece in _sound(media, sample_rate, damage or Damage(), stopped):
        waiting.append(piece)
        count += len(piece)
        if count < length:
            continue
        held = np.concatenate(waiting)
        while len(held) >= length:
            yield held[:length]
            held = held[length:]
        waiting, count = [held], len(held)
    if count:
        yield np.concatenate(waiting)


def decoded(
    container: InputContainer,
    media: Media,
    stream: av.VideoStream | av.AudioStream,
    damage: Damage,
    stopped: Callable[[], bool] = _never,
) -> Iterator[Any]:
    """The stream's frames from where the container is, with times that run on where the file's
    jump; what does not decode is counted.
    """
    timeline, before = Timeline(container), damage.jumps
    for packet in packets(container, *_streams(container, media)):
        if stopped():
            return
        timeline.straighten(packet)
        damage.jumps = before + timeline.jumps
        if packet.stream.index != stream.index:
            continue
        try:
            ready = packet.decode()
        except av.FFmpegError:
            damage.packets += 1
            continue
        yield from ready


def sound_stream(container: InputContainer, media: Media) -> av.AudioStream | None:
    """The stream of sound that `probe` chose."""
    index = None if media.audio is None else media.audio.index
    return next((stream for stream in container.streams.audio if stream.index == index), None)


def _streams(container: InputContainer, media: Media) -> list[av.VideoStream | av.AudioStream]:
    """Those whose times are the file's clock."""
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


def _sound(
    media: Media, sample_rate: int, damage: Damage, stopped: Callable[[], bool]
) -> Iterator[npt.NDArray[np.float32]]:
    """Pieces of at most a second where they are silence, of a packet where they are not."""
    with open_container(media.path) as container:
        stream = sound_stream(container, media)
        if stream is None:
            raise MediaError("The file has lost its sound.", "Was it changed during the run?")
        start = clock_start(container, stream)
        longest_hole = media.duration_seconds * sample_rate
        tolerance = round(_TOLERANCE_SECONDS * sample_rate)
        given = 0
        source = decoded(container, media, stream, damage, stopped)
        for time, samples in believed(_resampled(source, sample_rate, damage)):
            due = given if time is None else round((time - start) * sample_rate)
            if tolerance < due - given <= longest_hole:
                yield from _silence(due - given, sample_rate)
                given = due
            overlap = given - due if tolerance < given - due < sample_rate else 0
            given += len(samples[overlap:])
            yield samples[overlap:]


def _silence(samples: int, most: int) -> Iterator[npt.NDArray[np.float32]]:
    for done in range(0, samples, most):
        yield np.zeros(min(most, samples - done), np.float32)


def _resampled(
    source: Iterator[av.AudioFrame], sample_rate: int, damage: Damage
) -> Iterator[tuple[float | None, npt.NDArray[np.float32]]]:
    """Time and mono samples of each frame; a stream may change its layout on the way."""
    resampler: av.AudioResampler | None = None
    form: tuple[str, str, int] | None = None
    for frame in source:
        previous, form = form, (frame.format.name, frame.layout.name, frame.sample_rate)
        if resampler is not None and form != previous:
            yield None, _samples(resampler, None)
            resampler = None
        resampler = resampler or av.AudioResampler("flt", "mono", sample_rate)
        time = frame.time
        try:
            samples = _samples(resampler, frame)
        except av.FFmpegError:  # damage may claim a layout that there is not
            damage.packets += 1
            resampler = None
            continue
        yield time, samples
    if resampler is not None:
        yield None, _samples(resampler, None)


def _samples(resampler: av.AudioResampler, frame: av.AudioFrame | None) -> npt.NDArray[np.float32]:
    parts: list[Any] = [part.to_ndarray()[0] for part in resampler.resample(frame)]
    return np.concatenate(parts) if parts else np.zeros(0, np.float32)
