"""A past: finished runs, put into a home's Dagster storage before its stack starts."""

from datetime import UTC, datetime
from pathlib import Path

from dagster import DagsterRun, DagsterRunStatus

from api.stack.layout import lay_out
from contracts.home import Home
from contracts.run import KIND, KIND_TAG, MEDIA_FACTS_TAG, OWNER_TAG, MediaFacts, pipeline_tags
from orchestration.dagster_internals.sqlite import SqliteRunStorage
from orchestration.dagster_internals.tables import RunsTable, RunTagsTable
from orchestration.launcher.instances import open_instance

_FACTS = MediaFacts("silence.wav", 3244, 0.1)
PIPELINE = "speech_activity"


def insert_finished_runs(root: Path, count: int) -> None:
    """As submissions over REST would have left them, but for their results."""
    home = Home(root)
    lay_out(home)
    tags = {
        KIND_TAG: KIND,
        OWNER_TAG: "past",
        MEDIA_FACTS_TAG: _FACTS.to_tag(),
        **pipeline_tags([PIPELINE]),
    }
    config = {"ops": {"probe": {"config": {"media": "0" * 64}}, PIPELINE: {"config": {}}}}
    with open_instance(home.dagster) as instance:
        storage = instance.run_storage
        if not isinstance(storage, SqliteRunStorage):
            raise TypeError("only a home with SQLite can be given a past")
        runs = [
            DagsterRun(
                job_name=PIPELINE, status=DagsterRunStatus.SUCCESS, tags=tags, run_config=config
            )
            for _ in range(count)
        ]
        moment = datetime.now(UTC)
        times = {"start_time": moment.timestamp(), "end_time": moment.timestamp() + 1}
        rows = [
            storage._get_run_insertion_values(run, moment) | times  # noqa: SLF001 - its `add_run` takes 20 ms for each
            for run in runs
        ]
        marks = [
            {"run_id": run.run_id, "key": key, "value": value}
            for run in runs
            for key, value in run.tags_for_storage().items()
        ]
        with storage.connect() as connection:
            connection.execute(RunsTable.insert(), rows)
            connection.execute(RunTagsTable.insert(), marks)
