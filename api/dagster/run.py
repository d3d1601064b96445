"""A Dagster run as GraphQL tells it: plain values, nothing of HTTP and nothing of jobs."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from contracts.run import PRIORITY_TAG


class RunStatus(StrEnum):
    QUEUED = "QUEUED"
    NOT_STARTED = "NOT_STARTED"
    MANAGED = "MANAGED"
    STARTING = "STARTING"
    STARTED = "STARTED"
    SUSPENDED = "SUSPENDED"
    SUCCESS = "SUCCESS"
    FAILURE = "FAILURE"
    CANCELING = "CANCELING"
    CANCELED = "CANCELED"

    @property
    def is_terminal(self) -> bool:
        return self in {RunStatus.SUCCESS, RunStatus.FAILURE, RunStatus.CANCELED}


class StepStatus(StrEnum):
    SKIPPED = "SKIPPED"
    SUCCESS = "SUCCESS"
    FAILURE = "FAILURE"
    IN_PROGRESS = "IN_PROGRESS"


@dataclass(frozen=True)
class Step:
    """Times in seconds since the epoch; a step that never began has no `status`."""

    key: str
    status: StepStatus | None
    started_at: float | None
    ended_at: float | None


@dataclass(frozen=True)
class Run:
    """Times in seconds since the epoch. `steps` is empty in a `RunPage`: it costs a query each."""

    run_id: str
    job_name: str
    status: RunStatus
    tags: Mapping[str, str]
    config: Mapping[str, Any]
    created_at: float
    started_at: float | None
    ended_at: float | None
    updated_at: float | None
    steps: tuple[Step, ...] = ()

    @property
    def priority(self) -> int:
        return priority_of(self.tags)


@dataclass(frozen=True)
class RunFilter:
    """Which runs; empty parts do not restrict. All `tags` must be on a run."""

    tags: Mapping[str, str] | None = None
    statuses: tuple[RunStatus, ...] = ()
    job_name: str | None = None
    run_ids: tuple[str, ...] = ()
    updated_after: float | None = None

    def to_variables(self) -> dict[str, Any]:
        parts: dict[str, Any] = {
            "tags": [{"key": key, "value": value} for key, value in (self.tags or {}).items()],
            "statuses": [status.value for status in self.statuses],
            "pipelineName": self.job_name,
            "runIds": list(self.run_ids),
            "updatedAfter": self.updated_after,
        }
        return {name: part for name, part in parts.items() if part not in ([], None)}


@dataclass(frozen=True)
class RunPage:
    """Newest first. `total` is a count, if one was asked for; `cursor` asks for what follows."""

    runs: tuple[Run, ...]
    total: int | None
    cursor: str | None


@dataclass(frozen=True)
class QueuedRun:
    """Its place in the queue is that in the list; higher priorities stand before lower ones."""

    run_id: str
    priority: int


@dataclass(frozen=True)
class DaemonState:
    kind: str
    required: bool
    healthy: bool | None
    last_heartbeat_at: float | None
    errors: tuple[str, ...]


@dataclass(frozen=True)
class InstanceState:
    """`run_limit` is how many runs the queue lets go at once; None for no limit."""

    version: str
    daemons: tuple[DaemonState, ...]
    queued: int
    running: int
    run_limit: int | None


def priority_of(tags: Mapping[str, str]) -> int:
    """As Dagster's queue reads it: anything but an integer counts as 0."""
    try:
        return int(tags.get(PRIORITY_TAG, "0"))
    except ValueError:
        return 0
