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
        self._waiting, self._waiting_peak = 0, np.float32(0)

    @property
    def peaks(self) -> Floats:
        """The last one may speak of fewer samples than `stride`."""
        return np.append(self._peaks, self._waiting_peak) if self._waiting else self._peaks

    def add(self, samples: Floats) -> None:
        loudness = np.abs(samples)
        while loudness.size:
            if self._waiting or loudness.size < self.stride:
                taken = min(loudness.size, self.stride - self._waiting)
                self._wait(taken, loudness[:taken].max())
            else:
                taken = loudness.size - loudness.size % self.stride
                self._append(loudness[:taken].reshape(-1, self.stride).max(axis=1))
            loudness = loudness[taken:]

    def skip_to(self, samples: int) -> None:
        """Adds silence until there are so many samples; the cost does not grow with it."""
        while self.samples < samples:
            missing = samples - self.samples
            if self._waiting or missing < self.stride:
                self._wait(min(missing, self.stride - self._waiting), np.float32(0))
            else:
                self._append(np.zeros(min(missing // self.stride, _MOST_PEAKS), np.float32))

    def _wait(self, samples: int, peak: np.float32) -> None:
        """Adds samples that make less than a stride, or complete the one that has begun."""
        self.samples += samples
        self._waiting += samples
        self._waiting_peak = max(self._waiting_peak, peak)
        if self._waiting >= self.stride:
            self.samples -= self._waiting
            whole, self._waiting = self._waiting_peak, 0
            self._waiting_peak = np.float32(0)
            self._append(np.array([whole], np.float32))

    def _append(self, peaks: Floats) -> None:
        self.samples += peaks.size * self.stride
        self._peaks = np.concatenate([self._peaks, peaks])
        while self._peaks.size > _MOST_PEAKS:
            self._halve()

    def _halve(self) -> None:
        """A peak left without a partner waits, as that many samples, for those that follow."""
        even = self._peaks.size - self._peaks.size % 2
        for left in self._peaks[even:]:
            self._waiting += self.stride
            self._waiting_peak = max(self._waiting_peak, left)
        self._peaks = self._peaks[:even].reshape(-1, 2).max(axis=1)
        self.stride *= 2
