"""The streams of a file: what there is, and which of them the pipelines read."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from av.container import InputContainer
from av.stream import Disposition

from pipelines.fitting import Size

_NOUNS = {"video": "video stream", "audio": "audio track"}


@dataclass(frozen=True)
class VideoStream:
    """The video as its first frame and the file's header have it; later frames may differ.

    Attributes:
        index: the stream's place in the file.
        width: pixels on display: after pixels that are not square are made so, by width, and after
            turning; so is `height`.
        rotation: degrees clockwise that a player turns the picture by, before it is mirrored, left
            to right, if `mirrored`.
        frame_rate: the average in frames per second; None where nothing is known.
        frame_count: the container's word or an estimate; None where nothing is known.
        end_seconds: when the video ends, on the clock of a player.
    """

    index: int
    width: int
    height: int
    rotation: int
    mirrored: bool
    frame_rate: float | None
    frame_count: int | None
    duration_seconds: float
    end_seconds: float

    @property
    def size(self) -> Size:
        return Size(self.width, self.height)


@dataclass(frozen=True)
class AudioStream:
    """`index` is the stream's place in the file."""

    index: int
    sample_rate: int
    channels: int
    duration_seconds: float


@dataclass(frozen=True)
class StreamFacts:
    """What the file's header says of a stream.

    Attributes:
        index: its place in the file, from 0.
        kind: "video", "audio", "subtitle", "data", "attachment", or "cover" for a picture that
            belongs to a piece of music.
        codec: None where it is not known.
        language: as the file has it, mostly three letters (ISO 639-2).
        default: whether the file marks it as the one to play.
        read: whether the pipelines read it.
    """

    index: int
    kind: str
    codec: str | None
    language: str | None
    title: str | None
    default: bool
    read: bool
    width: int | None = None
    height: int | None = None
    sample_rate: int | None = None
    channels: int | None = None

    def __str__(self) -> str:
        size = f"{self.width}x{self.height}" if self.width else None
        sound = f"{self.channels} channels" if self.channels else None
        told = (self.codec, size, sound, self.language, self.title)
        return ", ".join([f"stream {self.index}", *filter(None, told)])


def stream_facts(container: InputContainer, read: Sequence[int]) -> tuple[StreamFacts, ...]:
    """Those of all streams; `read` are the indices of those that the pipelines read."""
    return tuple(_facts(stream, stream.index in read) for stream in container.streams)


def notes_on_others(streams: Sequence[StreamFacts], kind: str) -> list[str]:
    """A note that names the streams of `kind` that are not read, if there are any."""
    others = [stream for stream in streams if stream.kind == kind and not stream.read]
    if not others:
        return []
    noun = _NOUNS[kind] if len(others) == 1 else f"{_NOUNS[kind]}s"
    named = "; ".join(map(str, others))
    return [f"The file has {len(others)} more {noun}, which this result leaves out: {named}."]


def is_cover(stream: Any) -> bool:
    """Whether a video stream is a picture that goes with the sound, or thumbnails."""
    return bool(stream.disposition & (Disposition.attached_pic | Disposition.timed_thumbnails))


def _facts(stream: Any, read: bool) -> StreamFacts:  # noqa: FBT001 - a fact among others
    codec = stream.codec_context
    is_video, is_audio = stream.type == "video", stream.type == "audio"
    return StreamFacts(
        index=stream.index,
        kind="cover" if is_video and is_cover(stream) else stream.type or "data",
        codec=None if codec is None else codec.name,
        language=stream.metadata.get("language"),
        title=stream.metadata.get("title"),
        default=bool(stream.disposition & Disposition.default),
        read=read,
        width=codec.width if codec is not None and is_video else None,
        height=codec.height if codec is not None and is_video else None,
        sample_rate=codec.sample_rate if codec is not None and is_audio else None,
        channels=codec.channels if codec is not None and is_audio else None,
    )
