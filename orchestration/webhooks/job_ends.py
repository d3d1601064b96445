"""Which jobs have ended since the last look, from Dagster's event log."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from dagster import (
    DagsterEventType,
    DagsterInstance,
    DagsterRunStatus,
    EventLogRecord,
    RunsFilter,
    RunStatusChangeRecordsFilter,
)

from contracts.run import KIND, KIND_TAG
from orchestration.webhooks.announcement import JobEnd

#: The sensor that looks.
SENSOR = "job_ends"
#: How many ends of each kind one look takes in; the next look takes more.
_MOST = 200
#: The first look of all goes back so far: not to what ended before anybody listened.
_FIRST_SECONDS = 600.0

_ENDS = {
    DagsterEventType.PIPELINE_SUCCESS: DagsterRunStatus.SUCCESS,
    DagsterEventType.PIPELINE_FAILURE: DagsterRunStatus.FAILURE,
    DagsterEventType.PIPELINE_CANCELED: DagsterRunStatus.CANCELED,
}


@dataclass(frozen=True)
class Cursor:
    """The last event seen of each kind, by its id in the event log; none before the first look."""

    seen: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def read(cls, text: str | None) -> "Cursor":
        return cls(json.loads(text)) if text else cls()

    def moved(self, to: Callable[[int], int]) -> "Cursor":
        """Where events have other ids."""
        return Cursor({kind: to(event_id) for kind, event_id in self.seen.items()})

    def write(self) -> str:
        return json.dumps(self.seen)


def job_ends(instance: DagsterInstance, cursor: Cursor) -> tuple[list[JobEnd], Cursor]:
    """In the order in which they ended. Runs that are no jobs, or are deleted, are left out."""
    records: list[tuple[DagsterRunStatus, EventLogRecord]] = []
    seen = dict(cursor.seen)
    for event_type, status in _ENDS.items():
        before = seen.get(event_type.value)
        found = _changes(instance, event_type, before)
        seen[event_type.value] = found[-1].storage_id if found else before or 0
        earliest = time.time() - _FIRST_SECONDS if before is None else 0.0
        records += [(status, record) for record in found if record.timestamp > earliest]
    return _ends(instance, records), Cursor(seen)


def _changes(
    instance: DagsterInstance, event_type: DagsterEventType, after: int | None
) -> list[EventLogRecord]:
    """Oldest first."""
    records = instance.fetch_run_status_changes(
        RunStatusChangeRecordsFilter(
            event_type=event_type,  # type: ignore[arg-type] # it is one of these three
            after_storage_id=after,
        ),
        limit=_MOST,
        ascending=after is not None,
    ).records
    return list(records) if after is not None else list(reversed(records))


def _ends(
    instance: DagsterInstance, records: list[tuple[DagsterRunStatus, EventLogRecord]]
) -> list[JobEnd]:
    if not records:
        return []
    run_ids = [record.run_id for _status, record in records]
    runs = {
        found.dagster_run.run_id: found
        for found in instance.get_run_records(RunsFilter(run_ids=run_ids, tags={KIND_TAG: KIND}))
    }
    ends = [
        JobEnd(
            run=runs[record.run_id].dagster_run.with_status(status),
            created_at=runs[record.run_id].create_timestamp.timestamp(),
            started_at=runs[record.run_id].start_time,
            ended_at=record.timestamp,
        )
        for status, record in records
        if record.run_id in runs
    ]
    return sorted(ends, key=lambda end: end.ended_at)
