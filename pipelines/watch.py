"""Watches a stream being decoded, and tells the damage what is not there."""

from typing import Any

import av
from av.container import InputContainer

from pipelines.container import clock_start
from pipelines.cut_off import missing_bytes
from pipelines.damage import Damage, End
from pipelines.duration import is_raw_aac, seconds_in, told_end
from pipelines.media import Media
from pipelines.timeline import clock_may_restart
from pipelines.ts_continuity import lost_places

#: Formats whose packets lie one after another, with little between them.
_SEQUENTIAL = {"matroska", "flac", "nut", "flv"}
_MOST_BYTES_BETWEEN = 4096
#: What may follow the last packet, an index for example, is no larger part of a file than this.
_MOST_BEHIND = 0.02
#: How many packets before a joint of recordings one may be marked as damaged, and is not.
_NEAR_JOINT = 3
#: Formats in which sound goes on without a break.
_UNBROKEN = {"ogg", "flac", "mpegts"}
#: Formats in which a picture is shown until the next one, or until the end that the header tells.
_HOLDING = {"matroska", "flv", "asf"}
#: Codecs that never make a packet of zeros alone.
_COMPRESSED = {
    "h264", "hevc", "av1", "vp8", "vp9", "mpeg4", "mjpeg",
    "aac", "mp3", "mp3float", "opus", "libopus", "vorbis", "flac", "ac3", "eac3",
}  # fmt: skip
_SHORTEST_ZEROS = 16
_SHORTEST_PICTURE_GAP_SECONDS = 0.05


class Watch:
    """What is seen of a stream on its way from the file: packets of it and others, then frames."""

    def __init__(
        self,
        container: InputContainer,
        media: Media,
        stream: av.VideoStream | av.AudioStream,
        damage: Damage,
    ) -> None:
        damage.pauses = _names(container).isdisjoint(_UNBROKEN)
        self._container, self._media, self._stream, self._damage = container, media, stream, damage
        self._start = clock_start(container, stream)
        self._position: int | None = None
        self._ends: dict[int, float] = {}
        self._packets = 0
        self._frame_end: float | None = None
        self._lost: av.Packet[Any] | None = None
        self._suspects: list[tuple[int, av.Packet[Any]]] = []
        self._jumps = damage.jumps

    def see_packet(self, packet: "av.Packet[Any]") -> None:
        """A packet of any stream, on the file's one clock."""
        damage, is_own = self._damage, packet.stream.index == self._stream.index
        self._see_position(packet)
        self._see_end(packet)
        if not is_own:
            return
        damage.go_on()
        self._packets += bool(packet.size)
        self._see_jump()
        if _is_zeroed(packet):
            self.lose(packet)
        elif packet.is_corrupt:
            self._suspects.append((self._packets, packet))

    def lose(self, packet: "av.Packet[Any]") -> None:
        """The packet cannot be decoded, or not in full."""
        if packet is self._lost:
            return
        self._lost = packet
        seconds = seconds_in(packet, self._container)
        time = max(0.0, self._ends.get(packet.stream.index, 0.0) - seconds)
        self._damage.lose(time, seconds, packet.size)

    def see_frame(self, frame: Any) -> None:
        """A frame of the stream itself, in the order of display."""
        damage, shown = self._damage, float((frame.duration or 0) * (frame.time_base or 0))
        if frame.time is None:
            return
        time, end = frame.time - self._start, self._frame_end
        if frame.is_corrupt and not damage.is_near:
            damage.lose(time, shown, 0)
        if self._stream.type != "video":
            return
        if end is not None and time - end > _SHORTEST_PICTURE_GAP_SECONDS and damage.is_near:
            damage.gap(end, time)
        self._frame_end = time + shown

    def finish(self) -> None:
        """The file is at its end."""
        for _, packet in self._suspects:
            self.lose(packet)
        media, own = self._media, self._ends.get(self._stream.index, 0.0)
        self._see_lost_packets()
        missing = missing_bytes(media.path, self._container.format.name)
        restarts = clock_may_restart(self._container)
        told = None if restarts else told_end(self._container, self._stream)
        told = None if told is None else told - self._start
        has_own_end = bool(self._stream.duration)
        reached = own if has_own_end else max(self._ends.values(), default=0.0)
        if self._container.format.name == "avi" and self._stream.frames and self._packets:
            told = reached * max(1.0, self._stream.frames / self._packets)
        elif self._container.format.name == "wav" and missing:
            told = reached * (1 + missing / media.size_bytes)
        self._damage.end = End(
            reached=reached,
            told=told,
            held=media.video is not None
            and not missing
            and not has_own_end
            and not self._has_unread_end()
            and not _names(self._container).isdisjoint(_HOLDING),
            missing_bytes=missing,
        )

    def _see_jump(self) -> None:
        """Where recordings were joined, packets are counted wrong, and one shortly before the joint
        is marked as damaged, which it is not.
        """
        if self._jumps != self._damage.jumps:
            self._suspects.clear()
        self._jumps = self._damage.jumps
        while self._suspects and self._packets - self._suspects[0][0] > _NEAR_JOINT:
            self.lose(self._suspects.pop(0)[1])

    def _see_lost_packets(self) -> None:
        """A transport stream's lost packets, where decoding has not noticed them."""
        if self._damage.packets or "mpegts" not in _names(self._container):
            return
        end = self._ends.get(self._stream.index, 0.0)
        for place in lost_places(self._media.path, self._stream.id):
            self._damage.lose(place * end, 0.0, 0)

    def _has_unread_end(self) -> bool:
        """Whether much of the file lies behind the last packet, which nothing could be made of."""
        size = self._media.size_bytes
        behind = size - (size if self._position is None else self._position)
        return behind > _MOST_BYTES_BETWEEN + _MOST_BEHIND * size

    def _see_end(self, packet: "av.Packet[Any]") -> None:
        number, seconds = packet.stream.index, seconds_in(packet, self._container)
        before = self._ends.get(number, 0.0)
        if is_raw_aac(self._container):
            self._ends[number] = before + seconds
        elif packet.pts is not None and packet.time_base is not None:
            end = float(packet.pts * packet.time_base) + seconds - self._start
            self._ends[number] = max(end, before)

    def _see_position(self, packet: "av.Packet[Any]") -> None:
        if packet.pos is None or not packet.size or not is_sequential(self._container):
            return
        if self._position is not None and packet.pos - self._position > _MOST_BYTES_BETWEEN:
            self._damage.skip(packet.pos - self._position)
        self._position = packet.pos + packet.size


def is_sequential(container: InputContainer) -> bool:
    return not _names(container).isdisjoint(_SEQUENTIAL)


def _names(container: InputContainer) -> set[str]:
    return set(container.format.name.split(","))


def _is_zeroed(packet: "av.Packet[Any]") -> bool:
    context = packet.stream.codec_context
    if context is None or packet.size < _SHORTEST_ZEROS or context.name not in _COMPRESSED:
        return False
    content = memoryview(packet)
    return not content[0] and not content[-1] and not any(content)
