"""One change of a job, as server-sent events carry it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel

from api.dagster.run import Run
from api.http.schemas import Job, JobError, JobStatus

_ID = re.compile(r"(\d{1,18})-[0-9a-f-]{36}")
Name = Literal["job.update", "job.complete", "job.error", "job.cancelled"]

_NAMES: Mapping[JobStatus, Name] = {
    JobStatus.COMPLETED: "job.complete",
    JobStatus.FAILED: "job.error",
    JobStatus.CANCELLED: "job.cancelled",
}


class EventData(BaseModel):
    """The whole state, so that a client that missed an event has missed nothing."""

    job_id: str
    status: JobStatus
    progress: dict[str, float]
    started_at: str | None
    completed_at: str | None
    cancelled_at: str | None
    waiting_reason: str | None
    error_message: str | None
    error: JobError | None


@dataclass(frozen=True)
class Event:
    """`moment` orders events: microseconds since the epoch at which Dagster last changed the
    run, moved on where that would not be later than the event before. It is what a client
    gives back as Last-Event-ID, and means the same after a restart.
    """

    moment: int
    job_id: str
    name: Name
    data: str

    @property
    def is_last(self) -> bool:
        """Whether nothing more will happen to the job."""
        return self.name in _NAMES.values()

    def encode(self) -> bytes:
        return (
            f"id: {self.moment}-{self.job_id}\nevent: {self.name}\ndata: {self.data}\n\n".encode()
        )


def event_of(job: Job, moment: int) -> Event:
    data = EventData(job_id=job.id, **job.model_dump(include=set(EventData.model_fields)))
    return Event(moment, job.id, _NAMES.get(job.status, "job.update"), data.model_dump_json())


def moment_of(run: Run) -> int:
    return int((run.updated_at or run.created_at) * 1_000_000)


def parse_id(event_id: str | None) -> int | None:
    """The moment in a Last-Event-ID; None for one that is not ours."""
    match = _ID.fullmatch(event_id or "")
    return int(match[1]) if match else None
