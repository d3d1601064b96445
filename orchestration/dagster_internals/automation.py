"""Schedules and sensors: which cron schedules Dagster takes, and where a tick's log goes."""

from dagster._core.definitions.instigation_logger import DispatchingLogHandler
from dagster._utils.schedules import is_valid_cron_schedule

__all__ = ["DispatchingLogHandler", "is_valid_cron_schedule"]
