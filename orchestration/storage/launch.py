"""One launch makes one run, however often it is asked for: docs/decisions/0016-launches.md."""

from collections.abc import Callable
from uuid import UUID

from dagster import DagsterRun, RunsFilter

from contracts.run import LAUNCH_TAG
from orchestration.dagster_internals.runs import DagsterRunAlreadyExists, copy
from orchestration.dagster_internals.storages import RunStorage


def add_once(
    run: DagsterRun, add: Callable[[DagsterRun], DagsterRun], storage: RunStorage
) -> DagsterRun:
    """What `add` makes of the run; or the run that the same launch has made before.

    Raises ValueError if the launch's id is no UUID.
    """
    launch = run.tags.get(LAUNCH_TAG)
    if launch is None:
        return add(run)
    run_id = str(UUID(launch))
    try:
        return add(copy(run, run_id=run_id, tags=_without_launch(run)))
    except DagsterRunAlreadyExists:
        existing = storage.get_runs(RunsFilter(run_ids=[run_id]))
        if not existing:  # it was deleted just now
            raise
        return existing[0]


def _without_launch(run: DagsterRun) -> dict[str, str]:
    """Of the tag nothing stays, or a run made with this one's tags would be taken for it."""
    return {key: value for key, value in run.tags.items() if key != LAUNCH_TAG}
