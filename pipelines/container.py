"""Opening a media file: what is allowed in, which streams count, and when its clock starts."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import av
from av.container import InputContainer
from av.stream import Disposition, Stream

from pipelines.streams import is_cover

#: Formats that hold media by themselves. Playlists and the like (HLS, DASH, concat) are left out:
#: they name further files, and a stranger's file must not choose what this machine opens.
FORMATS = (
    "mov,mp4,matroska,webm,avi,mpegts,mpeg,mpegvideo,flv,ogg,asf,mxf,nut,ivf,dv,gif,yuv4mpegpipe,"
    "h264,hevc,obu,m4v,wav,w64,mp3,aac,ac3,flac,aiff,amr,au,caf"
)

_MOST_FAILURES = 100


def open_container(path: Path) -> InputContainer:
    """Opens a media file for reading, and nothing that the file may refer to.

    Raises av.FFmpegError, which for what the system refuses is an OSError too.
    """
    return av.open(
        str(path.absolute()),
        mode="r",
        container_options={"format_whitelist": FORMATS, "protocol_whitelist": "file"},
        metadata_errors="replace",
    )


def video_streams(container: InputContainer) -> list[av.VideoStream]:
    """The video streams that are no covers, in the order in which a player would choose: those that
    are marked as default before others, then by size.
    """

    def rank(stream: av.VideoStream) -> tuple[bool, int]:
        pixels = 0 if stream.codec_context is None else stream.width * stream.height
        return not stream.disposition & Disposition.default, -pixels

    return sorted((s for s in container.streams.video if not is_cover(s)), key=rank)


def audio_streams(container: InputContainer) -> list[av.AudioStream]:
    """The streams of sound, first the one that a player would choose."""
    best = container.streams.best("audio")
    return sorted(container.streams.audio, key=lambda stream: stream is not best)


def clock_start(container: InputContainer, stream: Stream) -> float:
    """The stream's time in seconds that counts as 0.

    It is the container's start, as in a player, so that picture and sound share one clock; a
    stream that starts before it (encoder delay) counts from its own start.
    """
    start = max(0.0, (container.start_time or 0) / av.time_base)
    if stream.start_time is None or stream.time_base is None:
        return start
    return min(start, float(stream.start_time * stream.time_base))


def packets(
    container: InputContainer,
    *streams: Stream,
    failed: Callable[[], None] = lambda: None,
) -> Iterator["av.Packet[Any]"]:
    """The streams' packets to the end of the file, over places that cannot be read.

    `failed` is called at each such place. Gives up where `_MOST_FAILURES` attempts to go on fail in
    a row.
    """
    failures = 0
    while failures < _MOST_FAILURES:
        source = container.demux(*streams)
        try:
            for packet in source:
                failures = 0
                yield packet
        except av.FFmpegError:
            failures += 1
            if failures == 1:
                failed()
        except IndexError:  # for streams that appear on the way
            failures += 1
        else:
            return
