"""What Dagster asks of its storages, and what those in SQL databases have in common."""

from dagster._core.events import ASSET_EVENTS
from dagster._core.storage.base_storage import DagsterStorage
from dagster._core.storage.event_log.base import EventLogStorage
from dagster._core.storage.event_log.sql_event_log import SqlEventLogStorage
from dagster._core.storage.runs.base import RunStorage
from dagster._core.storage.runs.sql_run_storage import SqlRunStorage
from dagster._core.storage.schedules.base import ScheduleStorage

__all__ = [
    "ASSET_EVENTS",
    "DagsterStorage",
    "EventLogStorage",
    "RunStorage",
    "ScheduleStorage",
    "SqlEventLogStorage",
    "SqlRunStorage",
]
