"""What a file is, found by opening it and decoding its first frame: size, rotation, clock, sound.

Importing this module loads PyAV and nothing heavier; `pipelines.decoding` reads the content.
"""

import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import av
from av.container import InputContainer

from pipelines.container import (
    audio_streams,
    open_container,
    packets,
    video_stream,
)
from pipelines.duration import Span, spans
from pipelines.errors import MediaError
from pipelines.mp4 import is_cut_off
from pipelines.streams import StreamFacts, stream_facts

#: Beyond this a single decoded frame would take more memory than a run is meant to.
MOST_PIXELS = 8192 * 8192

_WIDEST_PIXEL = 4
_SUFFIXES = ("mp4", "mov", "m4a", "3gp", "3g2", "mkv", "webm")
_PACKETS_TO_TRY = 500
_STEM_BYTES = 120  # leaves room for a suffix in the 255 that file systems allow
_UNSAFE_IN_STEM = re.compile(r"[^\w.-]+")
_HINT = "Play the file in a video player; if it does not play there, export or record it again."


@dataclass(frozen=True)
class VideoStream:
    """`width` and `height` are those on display: after pixels that are not square are made so, by
    width, and after turning `rotation` degrees clockwise.

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
    """`index` is the stream's place in the file."""

    index: int
    sample_rate: int
    channels: int
    duration_seconds: float


@dataclass(frozen=True)
class Media:
    """`name` is the file's original name, which says more than `path` for a stored upload.

    `duration_seconds` is when the last stream ends, on the clock of a player.
    `undecodable_audio` is the codec of the file's sound where none of it can be decoded.
    `streams` are all that the file has, whether the pipelines read them or not.
    """

    path: Path
    name: str
    container: str
    size_bytes: int
    duration_seconds: float
    video: VideoStream | None
    audio: AudioStream | None
    undecodable_audio: str | None = None
    streams: tuple[StreamFacts, ...] = ()

    @property
    def stem(self) -> str:
        """What result files are named after: word characters, dots and dashes, never empty."""
        stem = _UNSAFE_IN_STEM.sub("_", Path(self.name.replace("\\", "/")).stem)
        return stem.encode()[:_STEM_BYTES].decode(errors="ignore").strip("._-") or "media"


def probe(path: Path, name: str | None = None) -> Media:
    """Opens `path`, decodes the first frame of its video and of its sound, and says what it is.

    Of several streams of sound it is the one that a player would choose, if it decodes. Sound that
    cannot be decoded beside a good video counts as no sound. Cover pictures are not video.
    Raises MediaError, naming the defect.
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
    video, sounds = video_stream(container), audio_streams(container)
    if video is None and not sounds:
        raise _cut_off(path) or MediaError("The file has neither video nor audio in it.", _HINT)
    picture = None if video is None else (video, _picture(container, video))
    sound = _sound(container, sounds)
    streams = [found[0] for found in (picture, sound) if found is not None]
    if not streams:
        raise _no_sound(container, sounds[0])
    times = dict(zip(streams, spans(container, streams, size), strict=True))
    return Media(
        path=path,
        name=name,
        container=_container_name(container, name),
        size_bytes=size,
        duration_seconds=max(span.end for span in times.values()),
        video=None if picture is None else _video(*picture, times[picture[0]]),
        audio=None if sound is None else _audio(*sound, times[sound[0]]),
        undecodable_audio=_codec(sounds[0]) if sounds and sound is None else None,
        streams=stream_facts(container, read=[stream.index for stream in streams]),
    )


def _picture(container: InputContainer, stream: av.VideoStream) -> av.VideoFrame:
    if stream.codec_context is not None and stream.width * stream.height > MOST_PIXELS:
        raise MediaError(
            f"The video is {stream.width}x{stream.height}, larger than this can decode.",
            "Scale it down to 8192x8192 or less.",
        )
    frame: av.VideoFrame | None = _first_frame(container, stream)
    if frame is None:
        raise MediaError(f"No frame of the video ({_codec(stream)}) can be decoded.", _HINT)
    return frame


def _sound(
    container: InputContainer, streams: Sequence[av.AudioStream]
) -> tuple[av.AudioStream, av.AudioFrame] | None:
    """The first stream that decodes, and its first frame."""
    for stream in streams:
        with suppress(av.FFmpegError):  # what cannot seek is read on from where it is
            container.seek(0)
        frame: av.AudioFrame | None = _first_frame(container, stream)
        if frame is not None:
            return stream, frame
    return None


def _video(stream: av.VideoStream, frame: av.VideoFrame, span: Span) -> VideoStream:
    rotation = round(-frame.rotation / 90) % 4 * 90  # libav counts counterclockwise
    turned = rotation in (90, 270)
    width = _square_width(stream, frame)
    rate = stream.average_rate or stream.guessed_rate
    return VideoStream(
        width=frame.height if turned else width,
        height=width if turned else frame.height,
        rotation=rotation,
        frame_rate=float(rate) if rate else None,
        frame_count=stream.frames or (round(span.seconds * rate) if rate else None) or None,
        duration_seconds=span.seconds,
    )


def _square_width(stream: av.VideoStream, frame: av.VideoFrame) -> int:
    """The frame's width in square pixels; a shape that no camera has is not believed."""
    shape = float(stream.sample_aspect_ratio or 1)
    width = max(1, round(frame.width * shape))
    believable = 1 / _WIDEST_PIXEL <= shape <= _WIDEST_PIXEL
    return width if believable and width * frame.height <= MOST_PIXELS else frame.width


def _audio(stream: av.AudioStream, frame: av.AudioFrame, span: Span) -> AudioStream:
    return AudioStream(
        index=stream.index,
        sample_rate=frame.sample_rate,
        channels=len(frame.layout.channels),
        duration_seconds=span.seconds,
    )


def _no_sound(container: InputContainer, stream: av.AudioStream) -> MediaError:
    with suppress(av.FFmpegError):
        container.seek(0)
    if any(packet.size for packet in islice(packets(container, stream), _PACKETS_TO_TRY)):
        return MediaError(f"The audio ({_codec(stream)}) cannot be decoded.", _HINT)
    return MediaError(
        "The file ends with its header: there is no sound in it.",
        "Was the recording or the copy cut off? Try it again.",
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
