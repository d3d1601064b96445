"""Silero VAD (https://github.com/snakers4/silero-vad) over a stream of sound.

The package carries the network as an ONNX file that takes many windows in one call; it gives
the same probabilities as the one that takes them singly, and ten times as fast.
"""

from functools import cache

import numpy as np
import numpy.typing as npt

from pipelines.errors import ModelUnavailableError
from pipelines.onnx_session import open_session
from pipelines.speech_activity.card import MODEL

SAMPLE_RATE = 16_000
#: Samples that one probability speaks of: 32 ms.
WINDOW = 512

#: Samples before a window that the network sees along with it.
_CONTEXT = 64
_STATE_SHAPE = (1, 1, 128)
#: The windows depend on each other, so that there is nothing for more threads to do.
_THREADS = 1
_HINT = "Run `make setup`, or `pip install silero-vad`."

Floats = npt.NDArray[np.float32]


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

    Raises ModelUnavailableError.
    """

    def __init__(self) -> None:
        self._session = open_session(load_model(), _THREADS)
        self._hidden = np.zeros(_STATE_SHAPE, np.float32)
        self._cell = np.zeros(_STATE_SHAPE, np.float32)
        self._context = np.zeros((1, _CONTEXT), np.float32)
        self._waiting = np.zeros(0, np.float32)

    def listen(self, samples: Floats) -> Floats:
        """The probabilities of the windows that `samples`, mono at 16 kHz, complete."""
        samples = np.concatenate([self._waiting, samples])
        whole = samples.size - samples.size % WINDOW
        self._waiting = samples[whole:]
        return self._run(samples[:whole].reshape(-1, WINDOW))

    def finish(self) -> Floats:
        """The probability of the last window, filled up with silence, if one was begun."""
        missing = -self._waiting.size % WINDOW
        return self.listen(np.zeros(missing, np.float32))

    def _run(self, windows: Floats) -> Floats:
        if not windows.size:
            return np.zeros(0, np.float32)
        contexts = np.concatenate([self._context, windows[:-1, -_CONTEXT:]])
        self._context = windows[-1:, -_CONTEXT:]
        probabilities, self._hidden, self._cell = self._session.run(
            ["speech_probs", "hn", "cn"],
            {"input": np.hstack([contexts, windows]), "h": self._hidden, "c": self._cell},
        )
        speech: Floats = probabilities.reshape(-1)
        return speech
