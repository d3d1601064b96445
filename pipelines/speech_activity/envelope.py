"""How loud a sound is along its length, in memory that does not grow with it."""

import numpy as np

from pipelines.speech_activity.network import Floats

_MOST_PEAKS = 8192
_FIRST_STRIDE = 16


class Envelope:
    """Peaks of the absolute samples, one for every `stride` of them.

    When there are more than 8192 peaks, `stride` doubles and each two peaks become one.
    """

    def __init__(self) -> None:
        self.stride = _FIRST_STRIDE
        self.samples = 0
        self._peaks = np.zeros(0, np.float32)
        self._waiting = np.zeros(0, np.float32)

    @property
    def peaks(self) -> Floats:
        """The last one may speak of fewer samples than `stride`."""
        if not self._waiting.size:
            return self._peaks
        return np.append(self._peaks, self._waiting.max())

    def add(self, samples: Floats) -> None:
        self.samples += samples.size
        loudness = np.concatenate([self._waiting, np.abs(samples)])
        whole = loudness.size - loudness.size % self.stride
        self._waiting = loudness[whole:]
        peaks = loudness[:whole].reshape(-1, self.stride).max(axis=1)
        self._peaks = np.concatenate([self._peaks, peaks])
        while self._peaks.size > _MOST_PEAKS:
            self._halve()

    def _halve(self) -> None:
        """A peak left without a partner waits, as that many samples, for those that follow."""
        even = self._peaks.size - self._peaks.size % 2
        self._waiting = np.concatenate([np.repeat(self._peaks[even:], self.stride), self._waiting])
        self._peaks = self._peaks[:even].reshape(-1, 2).max(axis=1)
        self.stride *= 2
