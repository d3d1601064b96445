"""Decoding a stream of a media from where its container is, with times of one clock.

`pipelines.frames` makes pictures of what comes, and `pipelines.sound` samples. Memory stays flat
however long the media is.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import av
from av.container import InputContainer
from av.stream import Stream

from pipelines.container import packets
from pipelines.damage import Damage
from pipelines.media import Media
from pipelines.timeline import Timeline
from pipelines.watch import Watch, is_sequential


def never() -> bool:
    return False


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


def picture_stream(container: InputContainer, media: Media) -> av.VideoStream | None:
    """The video stream that `probe` chose."""
    index = None if media.video is None else media.video.index
    return next((stream for stream in container.streams.video if stream.index == index), None)


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
    both = (picture_stream(container, media), sound_stream(container, media))
    return [stream for stream in both if stream is not None]
