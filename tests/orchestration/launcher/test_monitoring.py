"""Dagster's run monitoring under our own dagster.yaml."""

import logging

from dagster import DagsterInstance, DagsterRun, DagsterRunStatus

from orchestration.dagster_internals.testing import (
    EmptyWorkspaceTarget,
    execute_run_monitoring_iteration,
)
from orchestration.dagster_internals.workspace import WorkspaceProcessContext


def test_a_run_that_is_being_cancelled_is_left_to_its_supervisor(
    dagster: DagsterInstance,
) -> None:
    """Health shows what monitoring fails on: it must not show each cancellation."""
    run = dagster.add_run(DagsterRun(job_name="speech", status=DagsterRunStatus.STARTED))
    dagster.report_run_canceling(run)

    with WorkspaceProcessContext(dagster, EmptyWorkspaceTarget()) as workspace:
        told = list(execute_run_monitoring_iteration(workspace, logging.getLogger("test")))

    found = dagster.get_run_by_id(run.run_id)
    assert found
    assert found.status is DagsterRunStatus.CANCELING
    assert not any(told)
