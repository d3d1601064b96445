"""Silero VAD (https://github.com/snakers4/silero-vad) over a stream of sound.

The package carries the network as an ONNX file that takes many windows in one call; it gives
the same probabilities as the one that takes them singly, and ten times as fast.
"""

from collections.abc import Sequence
from functools import cache

import numpy as np
import numpy.typing as npt

from pipelines.errors import ModelUnavailableError
from pipelines.onnx_session import Session, open_session
from pipelines.speech_activity.card import MODEL

SAMPLE_RATE = 16_000
#: Samples that one probability speaks of: 32 ms.
WINDOW = 512

#: Samples before a window that the network sees along with it.
_CONTEXT = 64
_STATE_SHAPE = (1, 1, 128)
#: A sound whose peak is lower, of full scale, is silence;
_SILENCE_PEAK = 1e-4
#: one below this is raised to the other, as somebody would who wants to hear what is said.
_QUIET_PEAK, _HEARD_PEAK = 0.03, 0.1
#: The windows depend on each other, so that there is nothing for more threads to do.
_THREADS = 1
_HINT = "Run `make setup`, or `pip install silero-vad`."

Floats = npt.NDArray[np.float32]

#: What the network remembers after silence: its hidden and its cell state.
_SILENT: Sequence[Floats] = (np.zeros(_STATE_SHAPE, np.float32), np.zeros(_STATE_SHAPE, np.float32))


def warm() -> None:
    """Reads the model into memory, for run workers forked afterwards. Starts no thread."""
    load_model()


@cache
def load_model() -> bytes:
    """The ONNX file. Raises ModelUnavailableError."""
    path = MODEL.find()
    if path is None:
        raise ModelUnavailableError("The package `silero-vad` is missing.", _HINT)
    try:
        return path.read_bytes()
    except OSError as error:
        raise ModelUnavailableError(f"The speech model cannot be read: {error}", _HINT) from error


class SpeechNetwork:
    """Hears a sound piece by piece and says how likely somebody speaks in each window of it.

    Attributes:
        session: the network, which several sounds can share.
        state: what it remembers of this sound.

    Raises ModelUnavailableError.
    """

    def __init__(self, session: Session | None = None) -> None:
        self.session = session or open_session(load_model(), _THREADS)
        self.state = _SILENT
        self._context = np.zeros((1, _CONTEXT), np.float32)
        self._waiting = np.zeros(0, np.float32)

    def listen(self, samples: Floats) -> Floats:
        """The probabilities of the windows that `samples`, mono at 16 kHz, complete."""
        context, windows = self._context, self._take(samples)
        if not windows.size:
            return np.zeros(0, np.float32)
        gain = _gain(windows)
        if gain is None:
            return self._forget(len(windows))
        contexts = np.concatenate([context, windows[:-1, -_CONTEXT:]])
        hidden, cell = self.state
        probabilities, *self.state = self.session.run(
            ["speech_probs", "hn", "cn"],
            {"input": gain * np.hstack([contexts, windows]), "h": hidden, "c": cell},
        )
        speech: Floats = probabilities.reshape(-1)
        return speech

    def follow(self, samples: Floats, other: "SpeechNetwork") -> None:
        """Takes in `samples` that are the same, but for their loudness or sign, as those that
        `other` has just heard: nothing is computed.
        """
        self._take(samples)
        self.state = other.state

    def finish(self) -> Floats:
        """The probability of the last window, filled up with silence, if one was begun."""
        missing = -self._waiting.size % WINDOW
        return self.listen(np.zeros(missing, np.float32))

    def _take(self, samples: Floats) -> Floats:
        """The windows that `samples` complete; the rest waits."""
        samples = np.concatenate([self._waiting, samples])
        whole = samples.size - samples.size % WINDOW
        self._waiting = samples[whole:]
        windows: Floats = samples[:whole].reshape(-1, WINDOW)
        if windows.size:
            self._context = windows[-1:, -_CONTEXT:]
        return windows

    def _forget(self, windows: int) -> Floats:
        """In silence nobody speaks, and what was before no longer matters."""
        self.state = _SILENT
        return np.zeros(windows, np.float32)


def _gain(windows: Floats) -> np.float32 | None:
    """What brings a quiet sound to a level that the network hears well; None for silence."""
    peak = np.abs(windows).max()
    if peak < _SILENCE_PEAK:
        return None
    return np.float32(_HEARD_PEAK / peak if peak < _QUIET_PEAK else 1)
