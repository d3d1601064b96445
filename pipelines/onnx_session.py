"""Opens ONNX models on the CPU: the one place that imports ONNX Runtime."""

import os

#: The official builds report to Microsoft from the moment of import: by a thread, which a forked
#: worker would wait for in vain, and a database in the home folder. Nothing here phones home.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

import onnxruntime

from pipelines.errors import ModelUnavailableError

_ERRORS_ONLY = 3


def open_session(model: bytes, threads: int) -> onnxruntime.InferenceSession:
    """A session that computes with `threads` threads, started here: never before a fork.

    Raises ModelUnavailableError for bytes that are no model.
    """
    options = onnxruntime.SessionOptions()
    options.log_severity_level = _ERRORS_ONLY
    options.intra_op_num_threads = threads
    # Threads that wait in a loop for work take the cores away from decoding.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # its errors have no base class of their own
        raise ModelUnavailableError(
            f"A model cannot be loaded: {error}", "Its package is damaged: install it again."
        ) from error
