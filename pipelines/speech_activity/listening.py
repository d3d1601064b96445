"""Hears every channel of a sound by itself, so that none covers or cancels another."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from pipelines.sound import Sound
from pipelines.speech_activity.channels import Copy, Share, copies
from pipelines.speech_activity.envelope import Envelope
from pipelines.speech_activity.network import SAMPLE_RATE, WINDOW, Floats, SpeechNetwork

#: Chunks that are so many samples apart follow each other: times are rounded.
_TOLERANCE = 4


@dataclass
class Stretch:
    """Sound without a break: how likely somebody speaks on any channel, window by window.

    Attributes:
        start: its first sample on the sound's clock; `samples` is how many there are.
    """

    start: int
    samples: int = 0
    pieces: list[Floats] = field(default_factory=list)

    @property
    def probabilities(self) -> Floats:
        return np.concatenate(self.pieces) if self.pieces else np.zeros(0, np.float32)


class Listener:
    """Takes a sound chunk by chunk; what it heard is in `stretches`, `loudness` and `sureness`.

    Attributes:
        shares: for each channel, how much of the speech is on it.
        inverted: pairs of channels, from 0, of which the second is the first one inverted.

    Raises ModelUnavailableError.
    """

    def __init__(self, threshold: float) -> None:
        self.stretches: list[Stretch] = []
        self.loudness, self.sureness = Envelope(), Envelope()
        self.shares: list[Share] = []
        self.inverted: set[tuple[int, int]] = set()
        self._threshold = threshold
        self._session = SpeechNetwork().session
        self._networks: list[SpeechNetwork] = []

    @property
    def seconds(self) -> float:
        return self.loudness.samples / SAMPLE_RATE

    def listen(self, sound: Sound) -> None:
        start, (channels, samples) = round(sound.start * SAMPLE_RATE), sound.samples.shape
        self._go_to(start, channels)
        self._add(self._hear(sound.samples), samples)
        self.loudness.add(np.abs(sound.samples).max(axis=0))

    def finish(self) -> None:
        """The sound is at its end."""
        if self._networks:
            self._add([network.finish() for network in self._networks], 0)
        self._networks = []

    def _go_to(self, start: int, channels: int) -> None:
        """Begins a new stretch where the sound does not go on as it was."""
        if self._networks and channels == len(self._networks):
            stretch = self.stretches[-1]
            if abs(stretch.start + stretch.samples - start) <= _TOLERANCE:
                return
        self.finish()
        self._networks = [SpeechNetwork(self._session) for _ in range(channels)]
        self.shares += [Share() for _ in range(channels - len(self.shares))]
        self.stretches.append(Stretch(start))
        self.loudness.skip_to(start)
        self.sureness.skip_to(start // WINDOW)

    def _hear(self, samples: Floats) -> Sequence[Floats]:
        """The probabilities on each channel; a copy of another channel is not heard again."""
        heard: list[Floats] = []
        for channel, copy in enumerate(copies(samples)):
            network, own = self._networks[channel], samples[channel]
            if copy is None:
                heard.append(network.listen(own))
                continue
            network.follow(own, self._networks[copy.of])
            heard.append(heard[copy.of])
            self._note_inversion(channel, copy)
        return heard

    def _note_inversion(self, channel: int, copy: Copy) -> None:
        if copy.is_inverted:
            self.inverted.add((copy.of, channel))

    def _add(self, heard: Sequence[Floats], samples: int) -> None:
        loudest: Floats = np.max(heard, axis=0)
        self.stretches[-1].pieces.append(loudest)
        self.stretches[-1].samples += samples
        self.sureness.add(loudest)
        on_any = int((loudest >= self._threshold).sum())
        for share, probabilities in zip(self.shares, heard, strict=False):
            share.add(int((probabilities >= self._threshold).sum()), on_any)
