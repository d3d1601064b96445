"""What a file is, found by opening it and decoding its first frame: size, rotation, clock, sound.

Importing this module loads PyAV and nothing heavier; `pipelines.decoding` reads the content.
"""

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
    video_streams,
)
from pipelines.decoder_limits import check_picture, limit_decoder
from pipelines.displayed_size import DisplayedSize
from pipelines.duration import Span, spans
from pipelines.errors import MediaError
from pipelines.mp4 import is_cut_off
from pipelines.orientation import orientation_of
from pipelines.stems import safe_stem
from pipelines.streams import AudioStream, StreamFacts, VideoStream, stream_facts

_SUFFIXES = ("mp4", "mov", "m4a", "3gp", "3g2", "mkv", "webm")
_PACKETS_TO_TRY = 500
_HINT = "Play the file in a video player; if it does not play there, export or record it again."


@dataclass(frozen=True)
class Media:
    """What is known of a file before its content is read.

    Attributes:
        path: where the file lies.
        name: the file's original name, which says more than `path` for a stored upload.
        container: one word, such as "mp4".
        size_bytes: of the file.
        duration_seconds: when the last stream ends, on the clock of a player.
        video: None where there is none. It has `width` and `height` in pixels as displayed,
            `frame_rate` in frames per second (None where nothing is known), `duration_seconds`.
        audio: None where there is none that decodes. It has `sample_rate` in Hz, `channels`,
            `duration_seconds`.
        undecodable_audio: the codec of the file's sound where none of it can be decoded.
        streams: all that the file has, whether pipelines read them or not.
        stem: what result files are named after: `name` made safe, without its suffix.

    Example:
        >>> media = probe(Path("video.mp4"))
        >>> media.name, media.stem, media.container
        ('video.mp4', 'video', 'mp4')
        >>> media.video.width, media.video.height, media.audio.sample_rate
        (64, 48, 16000)
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
        return safe_stem(self.name)


def probe(path: Path, name: str | None = None) -> Media:
    """Opens `path`, decodes the first frame of its video and of its sound, and says what it is:
    Framegate does it before it calls `annotate`, and tests of a pipeline do.

    Of several streams of sound it is the one that a player would choose, if it decodes. Sound that
    cannot be decoded beside a good video counts as no sound. Cover pictures are not video.

    Args:
        path: of the file.
        name: its original name; by default that of `path`.

    Raises MediaError, a PipelineError, naming the defect.

    Example:
        >>> probe(Path("video.mp4")).duration_seconds > 1.9
        True
        >>> probe(Path("nothing.mp4"))
        Traceback (most recent call last):
        pipelines.errors.MediaError: The file cannot be read: No such file or directory.
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
    videos, sounds = video_streams(container), audio_streams(container)
    if not videos and not sounds:
        raise _cut_off(path) or MediaError("The file has neither video nor audio in it.", _HINT)
    picture, sound = _picture(container, videos), _first_that_decodes(container, sounds)
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
        video=None if picture is None else _video(container, *picture, times[picture[0]]),
        audio=None if sound is None else _audio(*sound, times[sound[0]]),
        undecodable_audio=_codec(sounds[0]) if sounds and sound is None else None,
        streams=stream_facts(container, read=[stream.index for stream in streams]),
    )


def _picture(
    container: InputContainer, streams: Sequence[av.VideoStream]
) -> tuple[av.VideoStream, av.VideoFrame] | None:
    """The first stream that decodes, and its first frame; None where there is no stream."""
    for stream in streams:
        if stream.codec_context is not None:
            check_picture(stream.width, stream.height, stream.codec_context.format)
            limit_decoder(stream)
    found = _first_that_decodes(container, streams)
    if streams and found is None:
        raise MediaError(f"No frame of the video ({_codec(streams[0])}) can be decoded.", _HINT)
    if found is not None:
        _, frame = found
        check_picture(frame.width, frame.height, frame.format)
    return found


def _first_that_decodes(
    container: InputContainer, streams: Sequence[Any]
) -> tuple[Any, Any] | None:
    """The first of `streams` that decodes, and its first frame; None where none does."""
    for stream in streams:
        frame = _first_frame(container, stream)
        with suppress(av.FFmpegError):  # what cannot seek is read on from where it is
            container.seek(0)
        if frame is not None:
            return stream, frame
    return None


def _video(
    container: InputContainer, stream: av.VideoStream, frame: av.VideoFrame, span: Span
) -> VideoStream:
    orientation, rate = orientation_of(frame), _frame_rate(stream, frame)
    width, height = DisplayedSize(container, stream).of(frame)
    return VideoStream(
        index=stream.index,
        width=width,
        height=height,
        rotation=orientation.rotation,
        mirrored=orientation.mirrored,
        frame_rate=rate,
        frame_count=stream.frames or (round(span.seconds * rate) if rate else None) or None,
        duration_seconds=span.seconds,
        end_seconds=span.end,
    )


def _frame_rate(stream: av.VideoStream, frame: av.VideoFrame) -> float | None:
    """The container's word; where it has no times, the frame's."""
    if stream.start_time is None and frame.duration and frame.time_base:
        return float(1 / (frame.duration * frame.time_base))
    rate = stream.average_rate or stream.guessed_rate
    return float(rate) if rate else None


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
