"""What a sensor has seen, as Dagster stores it."""

from dagster._core.definitions.run_status_sensor_definition import RunStatusSensorCursor
from dagster._core.scheduler.instigation import InstigatorState

__all__ = ["InstigatorState", "RunStatusSensorCursor"]
