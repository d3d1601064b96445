"""Where what ops print goes, and where the webserver finds it."""

from dagster._core.execution.compute_logs import redirect_to_file
from dagster._core.storage.compute_log_manager import CapturedLogContext, ComputeIOType
from dagster._core.storage.local_compute_log_manager import (
    IO_TYPE_EXTENSION,
    LocalComputeLogManager,
)

__all__ = [
    "IO_TYPE_EXTENSION",
    "CapturedLogContext",
    "ComputeIOType",
    "LocalComputeLogManager",
    "redirect_to_file",
]
