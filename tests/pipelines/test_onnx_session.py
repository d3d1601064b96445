import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipelines.errors import ModelUnavailableError
from pipelines.onnx_session import open_session


def test_onnx_runtime_neither_reports_home_nor_starts_a_thread_by_itself(tmp_path: Path) -> None:
    """Its official builds keep a database in the home folder and a thread that uploads it."""
    script = """
import os
import numpy  # starts threads of its own
threads = len(os.listdir("/proc/self/task"))
import pipelines.onnx_session
assert len(os.listdir("/proc/self/task")) == threads
"""
    environment = {name: value for name, value in os.environ.items() if "XDG" not in name}
    environment.pop("ORT_DISABLE_TELEMETRY", None)
    environment["HOME"] = str(tmp_path)
    command = [sys.executable, "-c", script]
    subprocess.run(command, check=True, timeout=120, env=environment)
    assert list(tmp_path.rglob("*")) == []


def test_bytes_that_are_no_model_are_an_error() -> None:
    with pytest.raises(ModelUnavailableError, match="protobuf parsing failed"):
        open_session(b"not a model", threads=1)
