"""What is wrong with a file, found while it is decoded: what could not be read, where, how much."""

from dataclasses import dataclass, field

from pipelines.findings import Coverage
from pipelines.outputs.picture import timestamp

#: A gap between pictures counts as damage when so few packets ago something could not be read.
_NEAR_PACKETS = 100
#: An end may be told so many seconds off: encoders round, and lengthen by a frame.
_END_TOLERANCE_SECONDS = 0.2
#: Shorter gaps in the sound are not worth a note.
_SHORTEST_GAP_SECONDS = 0.2
_KILOBYTE = 1000


@dataclass(frozen=True)
class End:
    """Where a stream ends, in seconds on the player's clock.

    Attributes:
        reached: the end of the last packet.
        told: the end by the file's word; None without one.
        held: whether a last picture may be shown until the end that is told.
        missing_bytes: how many bytes, at least, the file lacks by its own word.
    """

    reached: float
    told: float | None = None
    held: bool = False
    missing_bytes: int = 0

    @property
    def seconds(self) -> float:
        return max(self.reached, self.told or 0.0)

    @property
    def is_early(self) -> bool:
        return self.told is not None and self.told - self.reached > _END_TOLERANCE_SECONDS

    @property
    def is_late(self) -> bool:
        return self.told is not None and self.reached - self.told > max(1.0, 0.02 * self.told)


@dataclass
class Damage:
    """Counts what is wrong with the file, while decoding goes on behind it. Hand a new one to each
    call of `frames` or `audio`; the pipeline's findings then carry its notes and its coverage.

    Attributes:
        notes: what a reader must know of it, a sentence each.
        coverage: how much was read: whether all (`complete`), and how many `seconds`. None where
            there was nothing to read, or reading was stopped.

    Example:
        >>> damage = Damage()
        >>> count = sum(1 for frame in frames(probe(Path("video.mp4")), damage=damage))
        >>> damage.notes, damage.coverage.complete
        ([], True)
    """

    #: Those that could not be decoded or that the file marks as damaged. `size_bytes` is what they
    #: hold, `first` and `last` are the times of the first and the last of them.
    packets: int = 0
    size_bytes: int = 0
    seconds: float = 0.0
    first: float | None = None
    last: float | None = None
    #: Places that could not be read at all; `skipped_bytes` is what lies there.
    errors: int = 0
    skipped_bytes: int = 0
    #: How often the file's clock jumped; times run on there.
    jumps: int = 0
    #: How often nothing was there to decode, for `gap_seconds` in all; `first_gap` is where the
    #: first one begins and ends.
    gaps: int = 0
    gap_seconds: float = 0.0
    first_gap: tuple[float, float] | None = None
    #: Whether the format can leave out sound, so that a gap alone is not damage.
    pauses: bool = True
    #: Where the stream ends; None until it was read to its end.
    end: End | None = None
    #: What else is to be told.
    remarks: dict[str, None] = field(default_factory=dict)
    _packets_since: int = _NEAR_PACKETS

    def lose(self, time: float | None, seconds: float, size_bytes: int) -> None:
        """A packet could not be decoded."""
        self.packets += 1
        self.seconds += seconds
        self.size_bytes += size_bytes
        self._packets_since = 0
        if time is not None:
            self.first = time if self.first is None else min(self.first, time)
            self.last = time if self.last is None else max(self.last, time)

    def fail(self) -> None:
        """The file could not be read on."""
        self.errors += 1
        self._packets_since = 0

    def skip(self, size_bytes: int) -> None:
        """The reader has passed over bytes that it could not make sense of."""
        self.skipped_bytes += size_bytes
        self._packets_since = 0

    def go_on(self) -> None:
        """A packet was read."""
        self._packets_since += 1

    def gap(self, start: float, end: float) -> None:
        """There is nothing to decode from `start` to `end`."""
        self.gaps += 1
        self.gap_seconds += end - start
        self.first_gap = self.first_gap or (start, end)

    @property
    def is_near(self) -> bool:
        """Whether something could not be read shortly before."""
        return self._packets_since < _NEAR_PACKETS

    @property
    def coverage(self) -> Coverage | None:
        if self.end is None:
            return None
        missing = 0.0 if self._is_whole else max(self.seconds, self.gap_seconds)
        reached = self.end.seconds if self.end.held else self.end.reached
        return Coverage(self._is_whole, max(0.0, round(reached - missing, 3)))

    @property
    def notes(self) -> list[str]:
        found = (self._packet_note, self._gap_note, self._jump_note, *self._end_notes)
        return [note for note in found if note] + list(self.remarks)

    @property
    def _is_damaged(self) -> bool:
        return bool(self.packets or self.errors or self.skipped_bytes)

    @property
    def _is_whole(self) -> bool:
        if self._is_damaged or (self.gaps and not self.pauses):
            return False
        end = self.end
        return end is None or not (end.missing_bytes or (end.is_early and not end.held))

    @property
    def _packet_note(self) -> str | None:
        if not self.packets:
            if self._is_damaged and not self.gaps:
                return "The file is damaged: parts of it could not be read."
            return None
        packets = "1 packet" if self.packets == 1 else f"{self.packets} packets"
        where = ""
        if self.first is not None and self.last is not None:
            first, last = timestamp(self.first), timestamp(self.last)
            where = f", at {first}" if first == last else f", between {first} and {last}"
        size = f" ({_size(self.size_bytes)})" if self.size_bytes else ""
        return f"The file is damaged: {packets}{size} could not be decoded in full{where}."

    @property
    def _gap_note(self) -> str | None:
        if self.first_gap is None or self.gap_seconds < _SHORTEST_GAP_SECONDS:
            return None
        start, end = self.first_gap
        first = f"from {timestamp(start)} to {timestamp(end)}"
        if self.gaps > 1:
            first = (
                f"in {self.gaps} places, {timestamp(self.gap_seconds)} in all, the first {first}"
            )
        if self._is_whole:
            return f"The sound pauses: there is none {first}. It counts as silence."
        return f"The file has a gap: nothing can be read {first}."

    @property
    def _jump_note(self) -> str | None:
        if not self.jumps:
            return None
        jumps = "once" if self.jumps == 1 else f"{self.jumps} times"
        return (
            f"The file's clock jumps {jumps}, as where recordings were joined: "
            "times here run on without a break."
        )

    @property
    def _end_notes(self) -> list[str]:
        end, notes = self.end, list[str]()
        if end is None:
            return notes
        if end.missing_bytes > 1:
            missing = _size(end.missing_bytes)
            notes.append(f"The file breaks off: at least {missing} of it are missing.")
        elif end.missing_bytes:
            notes.append("The file breaks off: what follows is missing or cannot be read.")
        if end.told is not None and (end.is_early or end.is_late):
            reached, told = timestamp(end.reached), timestamp(end.told)
            early = (
                f"The file ends early: nothing comes after {reached}; its header tells of {told}."
            )
            late = f"The file goes on to {reached}, although its header tells of {told}."
            notes.append(early if end.is_early else late)
        return notes


def _size(size_bytes: int) -> str:
    return f"{size_bytes} bytes" if size_bytes < _KILOBYTE else f"{size_bytes / _KILOBYTE:,.0f} kB"
