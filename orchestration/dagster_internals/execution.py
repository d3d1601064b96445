"""Executing a run in this process."""

from dagster._core.events import EngineEventData
from dagster._core.execution.api import execute_run_iterator
from dagster._utils.hosted_user_process import recon_job_from_origin
from dagster._utils.interrupts import capture_interrupts

__all__ = [
    "EngineEventData",
    "capture_interrupts",
    "execute_run_iterator",
    "recon_job_from_origin",
]
