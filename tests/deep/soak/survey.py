"""What lies there in the end: every run in Dagster's storage, every job's folder, what is held."""

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from dagster import DagsterEventType, DagsterInstance, DagsterRun, DagsterRunStatus

from contracts.home import Home
from contracts.lock_file import locked_files
from contracts.run import KIND_TAG, MAINTENANCE_KIND, pipelines_of
from orchestration.launcher.instances import open_instance
from orchestration.launcher.paths import leases
from pipelines.outputs.manifest import MANIFEST, read_manifest
from tests.deep.soak.history import Drained, Run

_ENDINGS = {
    DagsterEventType.PIPELINE_SUCCESS,
    DagsterEventType.PIPELINE_FAILURE,
    DagsterEventType.PIPELINE_CANCELED,
}
_WORDS = {
    DagsterRunStatus.SUCCESS: "completed",
    DagsterRunStatus.FAILURE: "failed",
    DagsterRunStatus.CANCELED: "cancelled",
}
_SUBMISSION_TAG = "user/soak"
_BEHAVIOUR_TAG = "user/behaviour"
_PARENT_TAG = "dagster/parent_run_id"


def runs(home: Home) -> Iterator[Run]:
    """All but those of the schedules, whatever tags they have."""
    with open_instance(home.dagster) as instance:
        for run in instance.get_runs():
            if run.tags.get(KIND_TAG) != MAINTENANCE_KIND:
                yield _survey(instance, home, run)


def leased(home: Home) -> list[str]:
    """The runs that hold a lease just now."""
    return [path.stem for path in locked_files(leases(home))]


def drained(home: Home, processes: Sequence[str]) -> Drained:
    """To be asked while the stack stands and nothing runs; `processes` are of runs all the same."""
    with open_instance(home.dagster) as instance:
        known = {run.run_id for run in instance.get_runs()}
    return Drained(
        leases=leased(home),
        sockets=_names(home.run / "runs"),
        uploads=_names(home.uploads),
        folders_without_run=[name for name in _names(home.jobs) if name not in known],
        processes=processes,
    )


def _survey(instance: DagsterInstance, home: Home, run: DagsterRun) -> Run:
    endings = [
        entry.dagster_event.event_type_value
        for entry in instance.all_logs(run.run_id, of_type=_ENDINGS)
        if entry.dagster_event
    ]
    results = home.results(run.run_id)
    faults = {name: list(_faults(results / name)) for name in _names(results)}
    partial = [f"partial/{name}" for name in _names(home.partial(run.run_id))]
    return Run(
        run_id=run.run_id,
        status=_WORDS.get(run.status, run.status.value),
        submission=run.tags.get(_SUBMISSION_TAG, ""),
        behaviour=run.tags.get(_BEHAVIOUR_TAG, ""),
        parent=run.tags.get(_PARENT_TAG, ""),
        endings=endings,
        wanted=pipelines_of(run.tags, run.job_name),
        whole=[name for name, wrong in faults.items() if not wrong],
        broken=[*partial, *(fault for wrong in faults.values() for fault in wrong)],
    )


def _faults(folder: Path) -> Iterator[str]:
    """What is wrong with one pipeline's published results."""
    try:
        manifest = read_manifest(folder)
    except (OSError, ValueError) as error:
        yield f"{folder.name}/{MANIFEST} ({type(error).__name__})"
        return
    announced = {file.name: file.sha256 for file in manifest.files}
    for name, sha256 in announced.items():
        path = folder / name
        if not path.exists():
            yield f"{folder.name}/{name} (missing)"
        elif hashlib.sha256(path.read_bytes()).hexdigest() != sha256:
            yield f"{folder.name}/{name} (another hash)"
    for name in _names(folder):
        if name not in announced and name != MANIFEST:
            yield f"{folder.name}/{name} (not announced)"


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
