"""Which jobs have ended since the last look, from Dagster's event log."""

import logging
import time
from collections.abc import Callable
from typing import Self

from dagster import (
    DagsterEventType,
    DagsterInstance,
    DagsterRunStatus,
    EventLogRecord,
    RunsFilter,
    RunStatusChangeRecordsFilter,
)
from pydantic import BaseModel, Field, ValidationError

from contracts.run import KIND, KIND_TAG
from orchestration.webhooks.announcement import JobEnd

logger = logging.getLogger("framegate.jobs")

#: The sensor that looks.
SENSOR = "job_ends"
#: How many ends of each kind one look takes in; the next look takes more.
_MOST = 200
#: In ids. On PostgreSQL an event may become visible after others that have a higher id: so far back
#: every look looks again. A run writes some dozens of events.
_WINDOW = 1000
#: The first look of all goes back so far: not to what ended before anybody listened.
_FIRST_SECONDS = 600.0

_ENDS = {
    DagsterEventType.PIPELINE_SUCCESS: DagsterRunStatus.SUCCESS,
    DagsterEventType.PIPELINE_FAILURE: DagsterRunStatus.FAILURE,
    DagsterEventType.PIPELINE_CANCELED: DagsterRunStatus.CANCELED,
}


class Cursor(BaseModel):
    """`seen` is the last event of each kind, by its id in the event log; none before the first
    look. `told` are, of each kind, all that were seen within the window before.
    """

    seen: dict[str, int] = Field(default_factory=dict)
    told: dict[str, frozenset[int]] = Field(default_factory=dict)

    @classmethod
    def read(cls, text: str | None) -> Self:
        """Whatever cannot be read begins anew: people can edit cursors in the Dagster UI."""
        try:
            return cls.model_validate_json(text or "{}")
        except ValidationError:
            logger.warning("the cursor of job_ends cannot be read: it begins anew")
            return cls()

    def moved(self, to: Callable[[int], int]) -> "Cursor":
        """Where events have other ids."""
        return Cursor(
            seen={kind: to(event_id) for kind, event_id in self.seen.items()},
            told={kind: frozenset(map(to, ids)) for kind, ids in self.told.items()},
        )

    def write(self) -> str:
        return self.model_dump_json()


def job_ends(instance: DagsterInstance, cursor: Cursor) -> tuple[list[JobEnd], Cursor]:
    """In the order in which they ended. Runs that are no jobs, or are deleted, are left out."""
    records: list[tuple[DagsterRunStatus, EventLogRecord]] = []
    seen, told = {}, {}
    for event_type, status in _ENDS.items():
        kind = event_type.value
        before, known = cursor.seen.get(kind), cursor.told.get(kind, frozenset())
        found = _changes(instance, event_type, before, most=_MOST + len(known))
        ids = known | {record.storage_id for record in found}
        seen[kind] = max(before or 0, *ids, 0)
        told[kind] = frozenset(each for each in ids if each > seen[kind] - _WINDOW)
        earliest = time.time() - _FIRST_SECONDS
        records += [
            (status, record)
            for record in found
            if record.storage_id not in known
            and (record.timestamp > earliest or _is_behind(record, before))
        ]
    return _ends(instance, records), Cursor(seen=seen, told=told)


def _is_behind(record: EventLogRecord, seen: int | None) -> bool:
    """Whether nobody has looked so far: what came to be seen within the window is not old."""
    return seen is not None and record.storage_id > seen


def _changes(
    instance: DagsterInstance, event_type: DagsterEventType, seen: int | None, *, most: int
) -> list[EventLogRecord]:
    """Those after the last one seen, and within the window before it. At the first look the newest
    ones, and among them all of the window.
    """
    records = instance.fetch_run_status_changes(
        RunStatusChangeRecordsFilter(
            event_type=event_type,  # type: ignore[arg-type] # it is one of these three
            after_storage_id=None if seen is None else max(0, seen - _WINDOW),
        ),
        limit=_WINDOW if seen is None else most,
        ascending=seen is not None,
    ).records
    return list(records)


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
