"""Opens ONNX models on the CPU: the one place that imports ONNX Runtime.

Its official builds report to Microsoft from the moment of import: by a thread, which a forked
worker would wait for in vain, and a database in the home folder. `pipelines/__init__.py` has
turned that off before.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy.typing as npt
import onnxruntime

from pipelines.errors import ModelUnavailableError

_ERRORS_ONLY = 3
#: How ONNX Runtime words that there is no memory: its arena, and C++ itself.
_OUT_OF_MEMORY = ("Failed to allocate memory", "bad allocation", "bad_alloc")


class Session:
    """A model that is ready to run."""

    def __init__(self, session: onnxruntime.InferenceSession) -> None:
        self._session = session
        self.inputs: list[str] = [value.name for value in session.get_inputs()]

    def run(self, outputs: Sequence[str] | None, inputs: Mapping[str, npt.NDArray[Any]]) -> Any:
        """The values of `outputs`, or of all. Raises MemoryError: it runs on the CPU, so that what
        does not suffice is the machine's memory.
        """
        try:
            return self._session.run(outputs, inputs)
        except Exception as error:  # its errors have no base class of their own
            if any(words in str(error) for words in _OUT_OF_MEMORY):
                raise MemoryError(str(error)) from error
            raise


def open_session(model: bytes, threads: int) -> Session:
    """A session that computes with `threads` threads, started here: never before a fork.

    Raises ModelUnavailableError for bytes that are no model.
    """
    options = onnxruntime.SessionOptions()
    options.log_severity_level = _ERRORS_ONLY
    options.intra_op_num_threads = threads
    # Threads that wait in a loop for work take the cores away from decoding.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return Session(
            onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        )
    except Exception as error:  # its errors have no base class of their own
        raise ModelUnavailableError(
            f"A model cannot be loaded: {error}", "Its package is damaged: install it again."
        ) from error
