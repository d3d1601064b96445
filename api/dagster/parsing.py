"""GraphQL's answers as the values of `api/dagster/run.py`. Pure."""

import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from api.dagster.run import DaemonState, InstanceState, Run, RunStatus, Step, StepStatus


def parse_run(run: Mapping[str, Any]) -> Run:
    return Run(
        run_id=run["runId"],
        job_name=run["jobName"],
        status=RunStatus(run["status"]),
        tags={tag["key"]: tag["value"] for tag in run["tags"]},
        config=_mapping(run["runConfig"]),
        created_at=run["creationTime"],
        started_at=run["startTime"],
        ended_at=run["endTime"],
        updated_at=run["updateTime"],
        steps=tuple(_step(step) for step in run.get("stepStats", ())),
    )


def parse_instance(data: Mapping[str, Any]) -> InstanceState:
    return InstanceState(
        version=data["version"],
        daemons=tuple(
            _daemon(status) for status in data["instance"]["daemonHealth"]["allDaemonStatuses"]
        ),
        queued=data["queued"]["count"],
        running=data["running"]["count"],
        run_limit=_run_limit(data["instance"]["runQueueConfig"]),
    )


def _run_limit(queue: Mapping[str, Any] | None) -> int | None:
    """Dagster says -1 for no limit, and nothing at all where runs are not queued."""
    limit = queue["maxConcurrentRuns"] if queue else -1
    return limit if limit >= 0 else None


def _mapping(run_config: object) -> Mapping[str, Any]:
    """A run started in the UI may carry its config as text, and no JSON in it."""
    if isinstance(run_config, str):
        with suppress(ValueError):
            run_config = json.loads(run_config)
    return run_config if isinstance(run_config, dict) else {}


def _step(step: Mapping[str, Any]) -> Step:
    return Step(
        key=step["stepKey"],
        status=StepStatus(step["status"]) if step["status"] else None,
        started_at=step["startTime"],
        ended_at=step["endTime"],
    )


def _daemon(status: Mapping[str, Any]) -> DaemonState:
    return DaemonState(
        kind=status["daemonType"],
        required=status["required"],
        healthy=status["healthy"],
        last_heartbeat_at=status["lastHeartbeatTime"],
        errors=tuple(error["message"] for error in status["lastHeartbeatErrors"]),
    )
