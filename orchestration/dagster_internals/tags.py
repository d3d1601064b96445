"""Keys of the tags that Dagster itself puts on runs; runs are found by them."""

from dagster._core.storage.tags import (
    PARENT_RUN_ID_TAG,
    PARTITION_NAME_TAG,
    RUN_KEY_TAG,
    SCHEDULE_NAME_TAG,
    SENSOR_NAME_TAG,
)

__all__ = [
    "PARENT_RUN_ID_TAG",
    "PARTITION_NAME_TAG",
    "RUN_KEY_TAG",
    "SCHEDULE_NAME_TAG",
    "SENSOR_NAME_TAG",
]
