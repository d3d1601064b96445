"""What is said of a job that has ended: the message that receivers get, and a line in the log."""

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dagster import DagsterRun, DagsterRunStatus

from contracts.home import Home
from contracts.retry import PARENT_TAG
from contracts.run import (
    FAILURE_TAG,
    FILENAME_TAG,
    MEDIA_TAG,
    OWNER_TAG,
    SUBMITTED_AT_TAG,
    Failure,
    failure_tag,
    pipelines_of,
)
from contracts.run import log_fields as run_log_fields
from contracts.timestamps import from_epoch

#: Grows when a field changes its meaning or goes; new fields alone do not change it.
VERSION = 1

#: The names are those of the event streams and of REST.
_EVENTS = {
    DagsterRunStatus.SUCCESS: ("job.complete", "completed"),
    DagsterRunStatus.FAILURE: ("job.error", "failed"),
    DagsterRunStatus.CANCELED: ("job.cancelled", "cancelled"),
}


@dataclass(frozen=True)
class JobEnd:
    """A run that has ended. Times are in seconds since the epoch."""

    run: DagsterRun
    created_at: float
    started_at: float | None
    ended_at: float

    @property
    def event(self) -> str:
        return _EVENTS[self.run.status][0]

    @property
    def status(self) -> str:
        return _EVENTS[self.run.status][1]

    @property
    def owner(self) -> str | None:
        return self.run.tags.get(OWNER_TAG)

    def message_id(self, target: str) -> str:
        """The same whenever the same end is announced to the same target."""
        identity = f"{self.run.run_id}/{self.event}/{target}"
        return f"msg_{hashlib.sha256(identity.encode()).hexdigest()[:32]}"


def message(end: JobEnd, home: Home, *, api_url: str) -> str:
    """The body of the webhook, as JSON; nothing in it is a secret."""
    run = end.run
    data = {
        "job_id": run.run_id,
        "status": end.status,
        "owner": end.owner,
        "media": run.tags.get(MEDIA_TAG),
        "filename": run.tags.get(FILENAME_TAG),
        "retry_of": run.tags.get(PARENT_TAG),
        "pipelines": {name: pipeline_status(name, end, home) for name in pipelines_of_run(run)},
        "error": error_of(run),
        "created_at": run.tags.get(SUBMITTED_AT_TAG) or from_epoch(end.created_at),
        "started_at": from_epoch(end.started_at),
        "ended_at": from_epoch(end.ended_at),
        "url": f"{api_url}/api/v1/jobs/{run.run_id}",
    }
    envelope = {"type": end.event, "timestamp": from_epoch(end.ended_at), "version": VERSION}
    return json.dumps({**envelope, "data": data}, separators=(",", ":"))


def log_fields(end: JobEnd) -> dict[str, Any]:
    error = error_of(end.run)
    seconds = end.ended_at - end.started_at if end.started_at else None
    return run_log_fields(end.run.run_id, end.run.tags) | {
        "status": end.status,
        "owner": end.owner,
        "pipelines": ",".join(pipelines_of_run(end.run)),
        "error_code": error["code"] if error else None,
        "duration_seconds": None if seconds is None else round(seconds, 3),
    }


def pipelines_of_run(run: DagsterRun) -> list[str]:
    return pipelines_of(run.tags, run.job_name)


def pipeline_status(name: str, end: JobEnd, home: Home) -> str:
    """What was published stands, however the job ended."""
    if os.path.exists(home.results(end.run.run_id) / name / "manifest.json"):  # noqa: PTH110 - Path's raises for a name that is too long
        return "completed"
    return "failed" if failure_tag(name) in end.run.tags else end.status


def error_of(run: DagsterRun) -> Mapping[str, str] | None:
    """The run's own reason, else the first pipeline's; None unless it failed."""
    if run.status is not DagsterRunStatus.FAILURE:
        return None
    for tag in (FAILURE_TAG, *(failure_tag(name) for name in pipelines_of_run(run))):
        try:
            failure = Failure.from_tag(run.tags[tag])
        except (KeyError, ValueError, TypeError):
            continue
        return {"code": failure.code, "message": failure.message}
    return {"code": "RUN_FAILED", "message": "The run failed without saying why."}
