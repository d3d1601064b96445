"""A real Dagster instance in which maintenance jobs are executed, as the run worker does it."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from dagster import (
    DagsterInstance,
    DagsterRun,
    JobDefinition,
    MetadataValue,
    QueuedRunCoordinator,
    TableMetadataValue,
    instance_for_test,
)

from contracts.home import Home
from orchestration.dagster_internals.testing import (
    InMemoryJob,
    JobPythonOrigin,
    ModuleCodePointer,
    RegisteredCodeLocationOrigin,
    RemoteJobOrigin,
    RemoteRepositoryOrigin,
    RepositoryPythonOrigin,
    execute_run,
)

DEFINITIONS = "orchestration.definitions"

Execute = Callable[..., "Executed"]


@dataclass(frozen=True)
class Executed:
    """How a maintenance run went, and what it shows in the UI."""

    run: DagsterRun
    succeeded: bool
    metadata: Mapping[str, Any]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[DagsterInstance]:
    """Its queue is real; nobody empties it."""
    folder = tmp_path / "home" / "dagster"
    folder.mkdir(parents=True)
    coordinator = {
        "module": QueuedRunCoordinator.__module__,
        "class": QueuedRunCoordinator.__name__,
    }
    with instance_for_test({"run_coordinator": coordinator}, temp_dir=str(folder)) as instance:
        yield instance


@pytest.fixture
def origin_of() -> Callable[[str], RemoteJobOrigin]:
    """Which code location a job of this name is in, as its runs say."""
    location = RegisteredCodeLocationOrigin("framegate")
    repository = RemoteRepositoryOrigin(location, "__repository__")
    return lambda job_name: RemoteJobOrigin(repository, job_name)


@pytest.fixture
def execute(instance: DagsterInstance, origin_of: Callable[[str], RemoteJobOrigin]) -> Execute:
    def execute(job: JobDefinition, **config: Any) -> Executed:
        run = instance.create_run_for_job(
            job,
            run_config={"ops": {job.name: {"config": config}}},
            tags=dict(job.tags),
            remote_job_origin=origin_of(job.name),
            job_code_origin=JobPythonOrigin(
                job.name, RepositoryPythonOrigin("python", ModuleCodePointer(DEFINITIONS, "."))
            ),
        )
        result = execute_run(InMemoryJob(job), run, instance)
        shown = [
            event.event_specific_data.metadata
            for event in result.all_events
            if event.is_successful_output
        ]
        metadata = {name: _value(entry) for part in shown for name, entry in part.items()}
        return Executed(run, result.success, metadata)

    return execute


def _value(entry: MetadataValue) -> Any:
    """Of a table its rows."""
    if isinstance(entry, TableMetadataValue):
        return [dict(record.data) for record in entry.records]
    return entry.value
