"""Queues a job from within a run, as the API does from outside."""

from collections.abc import Mapping

from dagster import DagsterInstance, DagsterRun, DagsterRunStatus, JobDefinition

from contracts.run import Submission, job_name, op_selection, run_config, run_tags
from orchestration.dagster_internals.runs import copy


def submit(
    submission: Submission,
    tags: Mapping[str, str],
    *,
    jobs: Mapping[str, JobDefinition],
    instance: DagsterInstance,
    origin_of: DagsterRun,
) -> DagsterRun:
    """Queues the job; it has the code location of the run `origin_of`, in which this is called."""
    name = job_name(submission.pipelines)
    selection = op_selection(submission.pipelines)
    origin, code_origin = origin_of.remote_job_origin, origin_of.job_code_origin
    if origin is None or code_origin is None:
        raise ValueError(f"run {origin_of.run_id} names no code location")
    run = instance.create_run_for_job(
        jobs[name],
        run_config=run_config(submission),
        op_selection=selection,
        resolved_op_selection=frozenset(selection) if selection else None,
        status=DagsterRunStatus.NOT_STARTED,
        tags={**tags, **run_tags(submission)},
        remote_job_origin=copy(origin, job_name=name),
        job_code_origin=code_origin._replace(job_name=name),
    )
    return enqueue(run, instance)


def enqueue(run: DagsterRun, instance: DagsterInstance) -> DagsterRun:
    """Of a run that was created already."""
    # The queue itself needs no workspace: the daemon that empties it has its own.
    return instance.submit_run(run.run_id, workspace=None)  # type: ignore[arg-type]
