"""Dagster's history in a home: runs that take turns, and sensors that have seen some of them."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from dagster import (
    AssetKey,
    DagsterEvent,
    DagsterEventType,
    DagsterInstance,
    DagsterRun,
    DagsterRunStatus,
    RunStatusChangeRecordsFilter,
    asset,
)

from contracts.home import Home
from contracts.run import KIND, KIND_TAG
from orchestration.dagster_internals.sensor_state import InstigatorState, RunStatusSensorCursor
from orchestration.dagster_internals.testing import (
    GrpcServerCodeLocationOrigin,
    InstigatorStatus,
    InstigatorType,
    RemoteInstigatorOrigin,
    RemoteRepositoryOrigin,
    SensorInstigatorData,
)
from orchestration.launcher.instances import open_instance
from orchestration.webhooks.job_ends import Cursor, job_ends

ASSET = AssetKey(["films", "cuts"])
FINISHED = RunStatusChangeRecordsFilter(DagsterEventType.RUN_SUCCESS)


@asset(key=ASSET)
def cuts() -> None:
    """Nothing but its events."""


@contextmanager
def opened(home: Home, url: str = "") -> Iterator[DagsterInstance]:
    """A home's Dagster, in PostgreSQL where a URL is given."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FRAMEGATE_HOME", str(home.root))
        patch.setenv("FRAMEGATE_DATABASE_URL", url)
        with open_instance(home.dagster) as instance:
            yield instance


def take_turns(instance: DagsterInstance) -> None:
    runs = [
        instance.add_run(DagsterRun("job", status=DagsterRunStatus.STARTED, tags={KIND_TAG: KIND}))
        for _ in range(2)
    ]
    for _ in range(3):
        for run in runs:
            instance.report_engine_event("It goes on.", run)
    for run in runs:
        end = DagsterEvent(DagsterEventType.PIPELINE_SUCCESS.value, job_name="job")
        instance.report_dagster_event(end, run_id=run.run_id)


def sensors_have_seen_the_first(instance: DagsterInstance) -> None:
    """One of Dagster's kind, and ours."""
    changes = instance.fetch_run_status_changes(FINISHED, limit=100, ascending=True).records
    seen = changes[2].storage_id
    _, looked = job_ends(instance, Cursor())
    kind = FINISHED.event_type.value
    told = frozenset(each for each in looked.told[kind] if each <= seen)
    ours = Cursor(seen={**looked.seen, kind: seen}, told={**looked.told, kind: told})
    _set_cursor(instance, "done", RunStatusSensorCursor(record_id=seen).to_json())
    _set_cursor(instance, "job_ends", ours.write())


def _set_cursor(instance: DagsterInstance, sensor: str, cursor: str) -> None:
    location = GrpcServerCodeLocationOrigin("localhost", socket="x", location_name="framegate")
    origin = RemoteInstigatorOrigin(RemoteRepositoryOrigin(location, "__repository__"), sensor)
    instance.add_instigator_state(
        InstigatorState(
            origin,
            InstigatorType.SENSOR,
            InstigatorStatus.RUNNING,
            SensorInstigatorData(cursor=cursor),
        )
    )
