"""Opens ONNX models on the CPU: the one place that imports ONNX Runtime."""

import os

#: The official builds report to Microsoft from the moment of import: by a thread, which a forked
#: worker would wait for in vain, and a database in the home folder. Nothing here phones home.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

import onnxruntime

_ERRORS_ONLY = 3


def open_session(model: bytes, threads: int) -> onnxruntime.InferenceSession:
    """A session that computes with `threads` threads, started here: never before a fork.

    Raises what ONNX Runtime raises for bytes that are no model.
    """
    options = onnxruntime.SessionOptions()
    options.log_severity_level = _ERRORS_ONLY
    options.intra_op_num_threads = threads
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
