"""One clock for a file whose own clock jumps, as where recordings were joined."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from av.container import InputContainer
from av.format import Flags

if TYPE_CHECKING:
    from av import Packet

Item = TypeVar("Item")

#: How many seconds a decoding time may be back and ahead of what was expected: what ffmpeg takes
#: for a jump in formats whose clock may restart (MPEG-TS and the like), and for a lost time
#: elsewhere (its options dts_delta_threshold and dts_error_threshold).
_RESTARTING = (0.1, 10.0)
_STEADY = (1.0, 30 * 3600.0)

_LONGEST_GAP = 1.0


def clock_may_restart(container: InputContainer) -> bool:
    return bool(Flags(container.format.flags) & Flags.ts_discont)


def believed(timed: Iterator[tuple[float | None, Item]]) -> Iterator[tuple[float | None, Item]]:
    """Takes away a time that is later than the next one, where that one follows those before."""
    before, held = float("-inf"), next(timed, None)
    if held is None:
        return
    for following in timed:
        time, later = held[0], following[0]
        if time is not None and later is not None and before <= later < time:
            time = None
        before = before if time is None else time
        yield time, held[1]
        held = following
    yield held


@dataclass
class _Place:
    """Where a stream is, in seconds.

    Attributes:
        offset: what is added to its own times; `previous` is what was before the last packet.
        last: when its last packet is decoded; `before` is the one before, `end` that packet's end.
    """

    offset: float
    previous: float
    last: float = float("-inf")
    before: float = float("-inf")
    end: float = float("inf")

    @property
    def gap(self) -> float:
        """How long a packet is that does not say so: as long as the one before, if it is short."""
        gap = self.last - self.before
        return gap if 0 < gap < _LONGEST_GAP else 0.0


class Timeline:
    """Gives packets times that run on where the file's own jump.

    The streams share the jumps, so that picture and sound stay together: a stream that jumps
    after another has jumped goes where that one went. A single wrong time is no jump. Give it the
    packets of all streams that matter, in the order of the file.
    """

    def __init__(self, container: InputContainer) -> None:
        self.jumps = 0
        self._back, self._ahead = _RESTARTING if clock_may_restart(container) else _STEADY
        self._offset = 0.0
        self._places: dict[int, _Place] = {}
        self._units = {s.index: float(s.time_base) for s in container.streams if s.time_base}

    def straighten(self, packet: "Packet[Any]") -> None:
        """Moves the packet's times, in place."""
        unit = self._units.get(packet.stream.index)
        if unit is None or packet.dts is None:
            return
        own = packet.dts * unit
        place = self._places.get(packet.stream.index)
        if place is None:
            place = self._places[packet.stream.index] = _Place(self._offset, self._offset)
        elif abs(own + place.previous - place.end) < abs(own + place.offset - place.end):
            self._return(place)
        elif self._fits(own + place.offset, place):
            place.previous = place.offset
        else:
            self._jump(place, own)
        place.before, place.last = place.last, own + place.offset
        place.end = place.last + ((packet.duration or 0) * unit or place.gap)
        if shift := round(place.offset / unit):
            packet.dts += shift
            packet.pts = None if packet.pts is None else packet.pts + shift

    def _fits(self, time: float, place: _Place) -> bool:
        """Whether the time follows the stream's last one, or the one before that was wrong."""
        return min(place.before, place.last) - self._back <= time <= place.end + self._ahead

    def _return(self, place: _Place) -> None:
        """The stream goes on as before the last packet, whose time was wrong."""
        place.offset = place.previous = self._offset = place.previous
        self.jumps -= 1

    def _jump(self, place: _Place, own: float) -> None:
        """The stream goes on from its end, or where another stream has jumped to already."""
        if self._offset == place.offset or own + self._offset < place.last - self._back:
            self._offset = place.end - own
            self.jumps += 1
        place.offset, place.previous = self._offset, place.offset
