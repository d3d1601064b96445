"""Dagster's instance, with runs that are executed again, and deleted, as they are meant here."""

import json
import shutil
import time
from collections.abc import Mapping
from typing import Any

from dagster import DagsterInstance, DagsterRun, DagsterRunStatus

from contracts.retry import inherited_tags
from orchestration.dagster_internals.code_location import CodeLocation, JobSubsetSelector, RemoteJob
from orchestration.dagster_internals.configuration import InstanceRef
from orchestration.dagster_internals.runs import copy
from orchestration.settings import Settings

#: Longer than the grace of a pipeline and the kill that follows.
_END_SECONDS = 30.0
_LOOK_SECONDS = 0.1


class RunNotEndedError(Exception):
    """A run that is to be deleted is still under way."""


class RunConfigNotJsonError(Exception):
    """A run cannot be stored with its run config."""


class FramegateInstance(DagsterInstance):
    """Configured in dagster.yaml; what the webserver and the daemon make runs with.

    Dagster copies a run's tags to the run that executes it again, whoever asked for that. Those
    that say how the earlier run went are left behind here.
    """

    @classmethod
    def config_schema(cls) -> dict[str, Any]:
        return {}

    @classmethod
    def config_defaults(cls, base_dir: str) -> dict[str, Any]:
        return dict(InstanceRef.config_defaults(base_dir))

    def create_run(
        self, *, tags: Mapping[str, Any] | None, parent_run_id: str | None, **arguments: Any
    ) -> DagsterRun:
        """Of selected steps, the UI asks for a run with all tags of the one before.

        Raises RunConfigNotJsonError: YAML knows numbers that no answer in JSON can hold, and every
        list of runs is one.
        """
        try:
            json.dumps(arguments.get("run_config"), allow_nan=False)
        except ValueError as error:
            raise RunConfigNotJsonError(
                "The run config holds a number that is not finite (.nan or .inf): use another."
            ) from error
        if parent_run_id and tags:
            tags = inherited_tags(tags)
        return super().create_run(tags=tags, parent_run_id=parent_run_id, **arguments)

    def create_reexecuted_run(
        self,
        *,
        parent_run: DagsterRun,
        code_location: CodeLocation,
        remote_job: RemoteJob,
        **arguments: Any,
    ) -> DagsterRun:
        if self._has_lost_ancestors(parent_run):
            # Dagster would read what they handed on; our ops hand nothing on.
            parent_run = copy(parent_run, root_run_id=None, parent_run_id=None)
        return super().create_reexecuted_run(
            parent_run=parent_run.with_tags(inherited_tags(parent_run.tags)),
            code_location=code_location,
            remote_job=_selected(parent_run, code_location, remote_job),
            **arguments,
        )

    def delete_run(self, run_id: str) -> None:
        """With all that it left. A run that is not over is cancelled first, as by anybody else.

        Raises RunNotEndedError where that takes longer than anybody waits.
        """
        self._end(run_id)
        super().delete_run(run_id)
        self.compute_log_manager.delete_logs(prefix=[run_id])
        shutil.rmtree(Settings().folders.job(run_id), ignore_errors=True)

    def _end(self, run_id: str) -> None:
        deadline = time.monotonic() + _END_SECONDS
        while (run := self.get_run_by_id(run_id)) and not run.is_finished:
            if run.status is DagsterRunStatus.NOT_STARTED:
                return  # nobody executes it
            self.run_coordinator.cancel_run(run_id)
            if time.monotonic() > deadline:
                raise RunNotEndedError(
                    f"The run is {run.status.value} and cannot be cancelled now. Delete it when it "
                    "has ended."
                )
            time.sleep(_LOOK_SECONDS)

    def _has_lost_ancestors(self, run: DagsterRun) -> bool:
        """Whether a run that this one descends from was deleted."""
        ancestor: DagsterRun | None = run
        while ancestor and ancestor.parent_run_id:
            ancestor = self.get_run_by_id(ancestor.parent_run_id)
        return ancestor is None


def _selected(
    parent_run: DagsterRun, code_location: CodeLocation, remote_job: RemoteJob
) -> RemoteJob:
    """The job with the ops that the earlier run had selected: of others there is no config."""
    if not parent_run.op_selection:
        return remote_job
    return code_location.get_job(
        JobSubsetSelector(
            location_name=remote_job.handle.location_name,
            repository_name=remote_job.handle.repository_name,
            job_name=remote_job.name,
            op_selection=parent_run.op_selection,
        )
    )
