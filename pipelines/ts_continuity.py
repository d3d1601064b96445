"""Packets that an MPEG transport stream has lost, by their counters (ISO/IEC 13818-1)."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

_PACKET, _SYNC = 188, 0x47
_AT_ONCE = 100_000
#: The program association table, which a recording begins with.
_TABLE_PID = 0
#: Packets between the beginning of a recording and the first one of each of its streams.
_NEAR_START = 64

Places = npt.NDArray[np.int64]


def lost_places(path: Path, pid: int) -> list[float]:
    """Where packets of the stream `pid` are missing, as shares of the file from 0 to 1.

    Where recordings were joined the counters begin anew, that of the table too: that is no loss.
    """
    breaks, joints, packets = list[int](), list[int](), 0
    counters: dict[int, int] = {}
    for first, block in _blocks(path):
        packets = first + len(block)
        breaks += _breaks(block, pid, first, counters)
        joints += _breaks(block, _TABLE_PID, first, counters)
    return [
        place / packets
        for place in breaks
        if not any(0 <= place - joint < _NEAR_START for joint in joints)
    ]


def _blocks(path: Path) -> Iterator[tuple[int, npt.NDArray[np.uint8]]]:
    """The file's packets, (n, 188), with the number of the first of them; nothing for a file whose
    packets are longer.
    """
    first = 0
    with path.open("rb") as file:
        while content := file.read(_PACKET * _AT_ONCE):
            whole = len(content) // _PACKET * _PACKET
            block = np.frombuffer(content[:whole], np.uint8).reshape(-1, _PACKET)
            if not first and (len(block) == 0 or block[:8, 0].tolist() != [_SYNC] * len(block[:8])):
                return
            yield first, block
            first += len(block)


def _breaks(
    block: npt.NDArray[np.uint8], pid: int, first: int, counters: dict[int, int]
) -> list[int]:
    """The numbers of the packets with content whose counter does not follow the one before."""
    pids = (block[:, 1].astype(np.int32) & 0x1F) << 8 | block[:, 2]
    has_content = block[:, 3] & 0x10 != 0
    chosen: Places = np.flatnonzero((block[:, 0] == _SYNC) & (pids == pid) & has_content)
    if not chosen.size:
        return []
    values = (block[chosen, 3] & 0xF).astype(np.int64)
    before = np.append(counters.get(pid, values[0] - 1), values[:-1])
    counters[pid] = int(values[-1])
    steps = (values - before) % 16
    announced = (
        (block[chosen, 3] & 0x20 != 0) & (block[chosen, 4] > 0) & (block[chosen, 5] & 0x80 != 0)
    )
    broken = (steps > 1) & ~announced  # a step of 0 is a packet sent twice
    return [int(place) + first for place in chosen[broken]]
