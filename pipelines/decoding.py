"""Reading a media's content as a stream: frames as displayed, sound as mono, both with true times.

Memory stays flat however long the media is. Times are seconds on the clock of a player: 0 is the
container's start (see `pipelines.container.clock_start`).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import av
import numpy as np
import numpy.typing as npt
from av.container import InputContainer

from pipelines.container import audio_stream, clock_start, open_container, packets, video_stream
from pipelines.display import Display
from pipelines.errors import MediaError
from pipelines.media import MOST_PIXELS, Media, VideoStream

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
    """Counts what could not be decoded, while decoding goes on behind it."""

    packets: int = 0

    @property
    def notes(self) -> list[str]:
        if self.packets == 0:
            return []
        return [f"The file is damaged: {self.packets} of its packets could not be decoded."]


def frames(
    media: Media,
    *,
    size: tuple[int, int] | None = None,
    max_side: int | None = None,
    every: int = 1,
    rate: float | None = None,
    damage: Damage | None = None,
) -> Iterator[Frame]:
    """The frames of the video in the order of display; none for media without video.

    Args:
        media: what `probe` said of the file.
        size: exact (width, height) of the images, aspect or not.
        max_side: scales down, never up, until neither side is longer.
        every: only each `every`-th frame.
        rate: at most so many frames per second of the video's clock.
        damage: counts what could not be decoded.

    Raises MediaError when the file is not what it was.
    """
    if media.video is None:
        return
    display = Display(media.video, size or fit(media.video, max_side))
    source = _video_frames(media, damage or Damage())
    for index, time, frame in _picked(source, every, rate):
        yield Frame(index, time, display.show(frame))


def audio(
    media: Media,
    *,
    sample_rate: int = 16_000,
    chunk_seconds: float = 30,
    damage: Damage | None = None,
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
    held = np.zeros(0, np.float32)
    waiting: list[npt.NDArray[np.float32]] = []
    for piece in _sound(media, sample_rate, damage or Damage()):
        waiting.append(piece)
        if len(held) + sum(map(len, waiting)) < length:
            continue
        held, waiting = np.concatenate([held, *waiting]), []
        while len(held) >= length:
            yield held[:length]
            held = held[length:]
    held = np.concatenate([held, *waiting])
    if len(held):
        yield held


def fit(video: VideoStream, max_side: int | None) -> tuple[int, int]:
    """Width and height of the video, scaled down until neither side is longer than `max_side`."""
    scale = 1.0 if max_side is None else min(1.0, max_side / max(video.width, video.height))
    return max(1, round(video.width * scale)), max(1, round(video.height * scale))


def decoded(container: InputContainer, stream: Any, damage: Damage) -> Iterator[Any]:
    """The stream's frames from where the container is; what does not decode is counted."""
    for packet in packets(container, stream):
        try:
            ready = packet.decode()
        except av.FFmpegError:
            damage.packets += 1
            continue
        yield from ready


def _video_frames(media: Media, damage: Damage) -> Iterator[tuple[int, float, av.VideoFrame]]:
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
        for index, frame in enumerate(decoded(container, stream, damage)):
            time = time + step if frame.time is None else max(time, 0.0, frame.time - start)
            yield index, time, frame


def _picked(
    source: Iterator[tuple[int, float, av.VideoFrame]], every: int, rate: float | None
) -> Iterator[tuple[int, float, av.VideoFrame]]:
    """Keeps to the beat of `rate`, so that the mean rate holds, and starts anew after a gap.

    A thousandth of the beat makes up for times rounded to the stream's ticks.
    """
    beat = 1 / rate if rate else 0.0
    due = float("-inf")
    for index, time, frame in source:
        if index % every or time + beat / 1000 < due:
            continue
        due = due + beat if due + beat > time else time + beat
        yield index, time, frame


def _sound(media: Media, sample_rate: int, damage: Damage) -> Iterator[npt.NDArray[np.float32]]:
    with open_container(media.path) as container:
        stream = audio_stream(container)
        if stream is None:
            raise MediaError("The file has lost its sound.", "Was it changed during the run?")
        start = clock_start(container, stream)
        most = media.duration_seconds * sample_rate
        tolerance = round(_TOLERANCE_SECONDS * sample_rate)
        given = 0
        for time, samples in _resampled(decoded(container, stream, damage), sample_rate, damage):
            due = given if time is None else round((time - start) * sample_rate)
            if given + tolerance < due <= most:
                yield np.zeros(due - given, np.float32)
                given = due
            overlap = given - due if tolerance < given - due < sample_rate else 0
            given += len(samples[overlap:])
            yield samples[overlap:]


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
