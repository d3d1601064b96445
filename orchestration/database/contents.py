"""What Dagster's database holds, and whether the jobs' folders agree with it."""

from dataclasses import dataclass

from dagster import DagsterInstance, DagsterRunStatus
from sqlalchemy import func, select

from contracts.home import Home
from contracts.run import KIND, KIND_TAG
from orchestration.dagster_internals.storages import SqlEventLogStorage, SqlRunStorage
from orchestration.dagster_internals.tables import Events, RunsTable, RunTagsTable


@dataclass(frozen=True)
class Contents:
    """Counts; of jobs whose folder and run do not agree, the ids.

    Attributes:
        events: None where each run has a file of its own, of which there may be very many.
        folders_without_run: the job was deleted, and its folder was not.
        jobs_without_folder: the job has completed, and its folder is gone.
    """

    runs: int
    events: int | None
    folders_without_run: list[str]
    jobs_without_folder: list[str]


def contents(instance: DagsterInstance, home: Home) -> Contents:
    runs = instance.run_storage
    if not isinstance(runs, SqlRunStorage):
        raise TypeError("dagster's run storage is no SQL database")
    with runs.connect() as connection:
        rows = connection.execute(select(RunsTable.c.run_id, RunsTable.c.status))
        statuses = {row.run_id: row.status for row in rows}
        jobs = connection.scalars(
            select(RunTagsTable.c.run_id).where(
                RunTagsTable.c.key == KIND_TAG, RunTagsTable.c.value == KIND
            )
        ).all()
    folders = {folder.name for folder in home.jobs.glob("*")}
    completed = {job for job in jobs if statuses.get(job) == DagsterRunStatus.SUCCESS.value}
    return Contents(
        runs=len(statuses),
        events=_count_events(instance),
        folders_without_run=sorted(folders - statuses.keys()),
        jobs_without_folder=sorted(completed - folders),
    )


def _count_events(instance: DagsterInstance) -> int | None:
    storage = instance.event_log_storage
    if not isinstance(storage, SqlEventLogStorage) or storage.is_run_sharded:
        return None
    with storage.index_connection() as connection:
        return connection.scalar(select(func.count()).select_from(Events)) or 0
