"""When the streams of a file begin and end: by the file's word where it can be taken, else read."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice, pairwise
from pathlib import Path
from statistics import median
from typing import Any

import av
from av.container import InputContainer
from av.stream import Stream

from pipelines.adts import seconds_of
from pipelines.container import clock_start, open_container, packets
from pipelines.timeline import Timeline, clock_may_restart

#: Formats whose duration says when the last packet ends, not how long it lasts.
_ENDS = {"matroska", "nut", "asf"}
#: Formats without a length of their own; MP3 may have one in its first frame.
_LENGTHLESS = {"aac", "ac3", "eac3", "mp3"}
_MP3_LENGTHS = (b"Xing", b"Info", b"VBRI")
_MP3_FRAME_BYTES = 4096
#: A file is looked at in so many places for a clock that jumps; where a stretch takes so many
#: times as long as others, it has jumped ahead.
_PLACES, _OUT_OF_PROPORTION = 16, 50
#: A larger file is not read through.
_MOST_BYTES_TO_READ = 2 * 1024**3
#: The end of a file in which its last packets are looked for.
_TAIL_BYTES = 2 * 1024**2
_PACKETS_TO_TRY = 500


@dataclass(frozen=True)
class Span:
    """Seconds on the player's clock."""

    start: float
    end: float

    @property
    def seconds(self) -> float:
        return self.end - self.start


def spans(container: InputContainer, streams: Sequence[Stream], size: int) -> list[Span]:
    """When each of `streams` begins and ends, in a file of `size` bytes; where the clock jumps,
    times run on as `pipelines.decoding` has them.
    """
    ends = [told_end(container, stream) for stream in streams]
    path, numbers = Path(container.name), [stream.index for stream in streams]
    if clock_may_restart(container):
        if size <= _MOST_BYTES_TO_READ and any(_jumps(path, size, each) for each in numbers):
            ends = [None] * len(streams)
        else:
            tails = _read_ends(path, numbers, skip=size - _TAIL_BYTES)
            ends = [max(filter(None, both), default=None) for both in zip(ends, tails, strict=True)]
    if None in ends:
        read = _read_ends(path, numbers)
        ends = [end if told is None else told for told, end in zip(ends, read, strict=True)]
    starts = [_start(container, stream) for stream in streams]
    zeros = [clock_start(container, stream) for stream in streams]
    return [
        Span(start - zero, max(start, end or 0.0) - zero)
        for start, end, zero in zip(starts, ends, zeros, strict=True)
    ]


def _start(container: InputContainer, stream: Stream) -> float:
    if stream.start_time is None or stream.time_base is None:
        return clock_start(container, stream)
    return float(stream.start_time * stream.time_base)


def told_end(container: InputContainer, stream: Stream) -> float | None:
    """The stream's word, else the container's, in seconds on the file's own clock; None where
    there is none but an estimate from the size of the file.
    """
    if _is_estimated(container):
        return None
    start = _start(container, stream)
    if not _ENDS.isdisjoint(container.format.name.split(",")):
        start = 0.0
    if stream.duration and stream.time_base:
        return start + float(stream.duration * stream.time_base)
    if container.duration:
        return start + container.duration / av.time_base
    return None


def _is_estimated(container: InputContainer) -> bool:
    """Whether libavformat's duration follows from the file's size and the first bit rate."""
    name = container.format.name
    return name in _LENGTHLESS and not (name == "mp3" and _mp3_has_length(Path(container.name)))


def _mp3_has_length(path: Path) -> bool:
    """Whether the frame before the first one with sound tells how many there are."""
    with open_container(path) as container:
        first = next(packets(container, *container.streams.audio), None)
    if first is None or first.pos is None:
        return False
    with path.open("rb") as file:
        file.seek(max(0, first.pos - _MP3_FRAME_BYTES))
        before = file.read(min(first.pos, _MP3_FRAME_BYTES))
    return any(word in before for word in _MP3_LENGTHS)


def _jumps(path: Path, size: int, stream: int) -> bool:
    """Whether the times at places spread over the file do not run on evenly."""
    times = list(_times(path, size, stream))
    gaps = [later - earlier for earlier, later in pairwise(times)]
    if not gaps:
        return False
    return min(gaps) < 0 or max(gaps) > _OUT_OF_PROPORTION * max(1.0, median(gaps))


def _times(path: Path, size: int, stream: int) -> Iterator[float]:
    with open_container(path) as container, suppress(av.FFmpegError):
        for place in range(_PLACES):
            container.seek(place * size // _PLACES, unsupported_byte_offset=True)
            for packet in islice(packets(container, container.streams[stream]), _PACKETS_TO_TRY):
                if packet.dts is not None:
                    yield float(packet.dts * packet.time_base)
                    break


def _read_ends(path: Path, numbers: Sequence[int], skip: int = 0) -> list[float | None]:
    """The latest end of a packet of each stream, after `skip` bytes; without times, the sum."""
    with open_container(path) as container:
        if skip > 0:
            with suppress(av.FFmpegError):
                container.seek(skip, unsupported_byte_offset=True)
        streams, timeline = [container.streams[number] for number in numbers], Timeline(container)
        ends: dict[int, float] = {}
        lasted = {stream.index: _start(container, stream) for stream in streams}
        for packet in packets(container, *streams):
            timeline.straighten(packet)
            stream, seconds = packet.stream.index, seconds_in(packet, container)
            lasted[stream] += seconds
            if packet.pts is not None and not is_raw_aac(container):
                end = float(packet.pts * packet.time_base) + seconds
                ends[stream] = max(end, ends.get(stream, end))
    if skip > 0:
        return [ends.get(number) for number in numbers]
    return [ends.get(number, lasted[number]) for number in numbers]


def is_raw_aac(container: InputContainer) -> bool:
    """Whether times are not the file's but libavformat's, which takes the first rate for all."""
    return bool(container.format.name == "aac")


def seconds_in(packet: "av.Packet[Any]", container: InputContainer) -> float:
    """How long what is in the packet is shown or heard."""
    if is_raw_aac(container):
        return seconds_of(bytes(packet))
    return float((packet.duration or 0) * (packet.time_base or 0))
