"""What a file is, found by opening it and decoding its first frame: size, rotation, clock, sound.

Importing this module loads PyAV and nothing heavier; `pipelines.decoding` reads the content.
"""

import re
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import av
from av.container import InputContainer

from pipelines.container import (
    audio_stream,
    clock_start,
    open_container,
    packets,
    video_stream,
)
from pipelines.errors import MediaError
from pipelines.mp4 import is_cut_off

#: Beyond this a single decoded frame would take more memory than a run is meant to.
MOST_PIXELS = 8192 * 8192

_SUFFIXES = ("mp4", "mov", "m4a", "3gp", "3g2", "mkv", "webm")
_PACKETS_TO_TRY = 500
_STEM_BYTES = 120  # leaves room for a suffix in the 255 that file systems allow
_UNSAFE_IN_STEM = re.compile(r"[^\w.-]+")
_HINT = "Play the file in a video player; if it does not play there, export or record it again."


@dataclass(frozen=True)
class VideoStream:
    """`width` and `height` are those on display, after turning `rotation` degrees clockwise.

    `frame_rate` is the average in frames per second and `frame_count` the container's word or
    an estimate; None where nothing is known.
    """

    width: int
    height: int
    rotation: int
    frame_rate: float | None
    frame_count: int | None
    duration_seconds: float


@dataclass(frozen=True)
class AudioStream:
    sample_rate: int
    channels: int
    duration_seconds: float


@dataclass(frozen=True)
class Media:
    """`name` is the file's original name, which says more than `path` for a stored upload."""

    path: Path
    name: str
    container: str
    size_bytes: int
    duration_seconds: float
    video: VideoStream | None
    audio: AudioStream | None

    @property
    def stem(self) -> str:
        """What result files are named after: word characters, dots and dashes, never empty."""
        stem = _UNSAFE_IN_STEM.sub("_", Path(self.name.replace("\\", "/")).stem)
        return stem.encode()[:_STEM_BYTES].decode(errors="ignore").strip("._-") or "media"


def probe(path: Path, name: str | None = None) -> Media:
    """Opens `path`, decodes the first frame of its video and of its sound, and says what it is.

    Sound that cannot be decoded beside a good video counts as no sound. Cover pictures are not
    video. Raises MediaError, naming the defect.
    """
    name = path.name if name is None else name
    size = _size(path)
    try:
        with open_container(path) as container:
            return _read(container, path, name, size)
    except (av.FFmpegError, OSError) as error:
        raise _refusal(path, error) from error


def _size(path: Path) -> int:
    try:
        size = path.stat().st_size
    except OSError as error:
        raise MediaError(
            f"The file cannot be read: {error.strerror}.", "Check the path."
        ) from error
    if not path.is_file():
        raise MediaError("This is not a file.", "Name a video or audio file.")
    if size == 0:
        raise MediaError("The file is empty.", "Was the upload or the copy cut off? Try it again.")
    return size


def _read(container: InputContainer, path: Path, name: str, size: int) -> Media:
    video, audio = video_stream(container), audio_stream(container)
    if video is None and audio is None:
        raise _cut_off(path) or MediaError("The file has neither video nor audio in it.", _HINT)
    video_facts = None if video is None else _video(container, video)
    if video is not None and audio is not None:
        with suppress(av.FFmpegError):  # what cannot seek is read on from where it is
            container.seek(0)
    audio_facts = None if audio is None else _audio(container, audio)
    durations = [facts.duration_seconds for facts in (video_facts, audio_facts) if facts]
    if not durations:
        raise MediaError(f"The audio ({_codec(audio)}) cannot be decoded.", _HINT)
    return Media(
        path=path,
        name=name,
        container=_container_name(container, name),
        size_bytes=size,
        duration_seconds=max(durations),
        video=video_facts,
        audio=audio_facts,
    )


def _video(container: InputContainer, stream: av.VideoStream) -> VideoStream:
    if stream.codec_context is not None and stream.width * stream.height > MOST_PIXELS:
        raise MediaError(
            f"The video is {stream.width}x{stream.height}, larger than this can decode.",
            "Scale it down to 8192x8192 or less.",
        )
    frame = _first_frame(container, stream)
    if frame is None:
        raise MediaError(f"No frame of the video ({_codec(stream)}) can be decoded.", _HINT)
    rotation = round(-frame.rotation / 90) % 4 * 90  # libav counts counterclockwise
    turned = rotation in (90, 270)
    rate = stream.average_rate or stream.guessed_rate
    duration = _duration(container, stream)
    return VideoStream(
        width=frame.height if turned else frame.width,
        height=frame.width if turned else frame.height,
        rotation=rotation,
        frame_rate=float(rate) if rate else None,
        frame_count=stream.frames or (round(duration * rate) if rate else None) or None,
        duration_seconds=duration,
    )


def _audio(container: InputContainer, stream: av.AudioStream) -> AudioStream | None:
    frame = _first_frame(container, stream)
    if frame is None:
        return None
    return AudioStream(
        sample_rate=frame.sample_rate,
        channels=len(frame.layout.channels),
        duration_seconds=_duration(container, stream),
    )


def _first_frame(container: InputContainer, stream: av.VideoStream | av.AudioStream) -> Any:
    """The first frame of the stream that decodes, or None."""
    if stream.codec_context is None:
        return None
    for packet in islice(packets(container, stream), _PACKETS_TO_TRY):
        try:
            for frame in packet.decode():
                return frame
        except av.FFmpegError:
            continue
    return None


def _duration(container: InputContainer, stream: av.VideoStream | av.AudioStream) -> float:
    """In seconds: the stream's word, else the container's, else what reading it all shows."""
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    if container.duration:
        return container.duration / av.time_base
    with open_container(Path(container.name)) as fresh:
        return _measured_duration(fresh, stream.index)


def _measured_duration(container: InputContainer, index: int) -> float:
    start = clock_start(container, container.streams[index])
    end, lasted = start, 0.0
    for packet in packets(container, container.streams[index]):
        seconds = float((packet.duration or 0) * packet.time_base)
        lasted += seconds
        if packet.pts is not None:
            end = max(end, float(packet.pts * packet.time_base) + seconds)
    return max(end - start, lasted)


def _codec(stream: Any) -> str:
    return "unknown codec" if stream.codec_context is None else stream.codec_context.name


def _container_name(container: InputContainer, name: str) -> str:
    """One word; where the demuxer serves several formats, the one that the name claims."""
    names = container.format.name.split(",")
    claimed = Path(name).suffix.lower().removeprefix(".")
    if "matroska" in names:
        return "webm" if claimed == "webm" else "mkv"
    if claimed in names:
        return claimed
    return next((known for known in _SUFFIXES if known in names), names[0])


def _refusal(path: Path, error: Exception) -> MediaError:
    if isinstance(error, OSError) and not isinstance(error, ValueError):
        return MediaError(f"Cannot read the file: {error.strerror}.", "Check its permissions.")
    return _cut_off(path) or MediaError("The file is not video or audio that can be read.", _HINT)


def _cut_off(path: Path) -> MediaError | None:
    if not is_cut_off(path):
        return None
    return MediaError(
        "The MP4 is cut off: its index (moov) is missing.",
        "The recording or the copy did not finish. Copy it again, or repair it at the source.",
    )
