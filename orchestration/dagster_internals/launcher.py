"""What Dagster asks of a run launcher, and what one may answer or raise."""

from dagster._core.errors import DagsterLaunchFailedError, DagsterUserCodeUnreachableError
from dagster._core.launcher import (
    CheckRunHealthResult,
    LaunchRunContext,
    RunLauncher,
    WorkerStatus,
)

__all__ = [
    "CheckRunHealthResult",
    "DagsterLaunchFailedError",
    "DagsterUserCodeUnreachableError",
    "LaunchRunContext",
    "RunLauncher",
    "WorkerStatus",
]
