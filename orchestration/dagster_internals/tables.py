"""Dagster's tables, in whichever database they lie."""

from dagster._core.storage.event_log.schema import SqlEventLogStorageMetadata
from dagster._core.storage.event_log.schema import SqlEventLogStorageTable as Events
from dagster._core.storage.runs.schema import (
    RunsTable,
    RunStorageSqlMetadata,
    RunTagsTable,
    SecondaryIndexMigrationTable,
)
from dagster._core.storage.schedules.schema import ScheduleStorageSqlMetadata

__all__ = [
    "Events",
    "RunStorageSqlMetadata",
    "RunTagsTable",
    "RunsTable",
    "ScheduleStorageSqlMetadata",
    "SecondaryIndexMigrationTable",
    "SqlEventLogStorageMetadata",
]
