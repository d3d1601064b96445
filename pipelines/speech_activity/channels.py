"""Which channels of a sound carry what another one carries, and what to say of them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from pipelines.speech_activity.network import SAMPLE_RATE, WINDOW, Floats

#: A channel is a copy where what differs is 40 dB below it in every second.
_MOST_DIFFERENCE = 1e-4
#: What differs is silence below a mean square of this: -80 dB of full scale.
_SILENCE = 1e-8
#: Channels disagree where one has less than this share of the speech that all have together.
_AGREEMENT = 0.8


@dataclass(frozen=True)
class Copy:
    """A channel that is the channel `of` but for its loudness, or that one inverted."""

    of: int
    is_inverted: bool


def copies(samples: Floats) -> list[Copy | None]:
    """For each channel, (channels, n), of which earlier one it is a copy; None for none."""
    found: list[Copy | None] = []
    for channel, own in enumerate(samples):
        originals = [other for other in range(channel) if found[other] is None]
        found.append(_copy(own, samples, originals))
    return found


def _copy(own: Floats, samples: Floats, originals: Sequence[int]) -> Copy | None:
    for original in originals:
        other = samples[original]
        energy = float(other @ other)
        factor = float(own @ other) / energy if energy else 0.0
        if factor and _is_same(own, np.float32(factor) * other):
            return Copy(original, factor < 0)
    return None


def _is_same(own: Floats, other: Floats) -> bool:
    seconds = np.arange(0, own.size, SAMPLE_RATE)
    lengths = np.diff(np.append(seconds, own.size))
    difference = np.add.reduceat((own - other) ** 2, seconds)
    allowed = _MOST_DIFFERENCE * np.add.reduceat(own**2, seconds) + _SILENCE * lengths
    return bool((difference <= allowed).all())


@dataclass
class Share:
    """In how many windows there is speech on a channel, and how many on any while it is there."""

    own: int = 0
    on_any: int = 0

    def add(self, own: int, on_any: int) -> None:
        self.own += own
        self.on_any += on_any


def notes_on_channels(shares: Sequence[Share], inverted: Collection[tuple[int, int]]) -> list[str]:
    """Where mixing the channels would have lost speech, and where they disagree about it."""
    notes = [
        f"Channel {copy + 1} is channel {original + 1} inverted: mixed, they would cancel out. "
        "Each channel was heard by itself."
        for original, copy in sorted(inverted)
    ]
    if any(share.own < _AGREEMENT * share.on_any for share in shares):
        told = ", ".join(
            f"channel {channel} has {_seconds(share.own)} of {_seconds(share.on_any)}"
            for channel, share in enumerate(shares, 1)
        )
        notes.append(f"The channels disagree about where there is speech: {told}.")
    return notes


def _seconds(windows: int) -> str:
    return f"{windows * WINDOW / SAMPLE_RATE:.1f} s"
