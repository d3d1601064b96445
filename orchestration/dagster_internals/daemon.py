"""Dagster's daemon, the queue in it, and the limits that the queue keeps to."""

from dagster._core.instance.config import ConcurrencyConfig
from dagster._core.op_concurrency_limits_counter import GlobalOpConcurrencyLimitsCounter
from dagster._daemon.controller import create_daemon_of_type, daemon_controller_from_instance
from dagster._daemon.daemon import DaemonIterator, DagsterDaemon
from dagster._daemon.run_coordinator.queued_run_coordinator_daemon import (
    QueuedRunCoordinatorDaemon,
)
from dagster._utils.interrupts import capture_interrupts
from dagster._utils.tags import TagConcurrencyLimitsCounter

__all__ = [
    "ConcurrencyConfig",
    "DaemonIterator",
    "DagsterDaemon",
    "GlobalOpConcurrencyLimitsCounter",
    "QueuedRunCoordinatorDaemon",
    "TagConcurrencyLimitsCounter",
    "capture_interrupts",
    "create_daemon_of_type",
    "daemon_controller_from_instance",
]
