"""Dagster's run monitoring under our own dagster.yaml."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from dagster import DagsterInstance, DagsterRun, DagsterRunStatus
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import EmptyWorkspaceTarget
from dagster._daemon.monitoring.run_monitoring import execute_run_monitoring_iteration

from api.stack.layout import lay_out
from contracts.home import Home
from orchestration.launcher.instance import open_instance


@pytest.fixture
def instance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[DagsterInstance]:
    monkeypatch.setenv("FRAMEGATE_HOME", str(tmp_path))
    monkeypatch.delenv("FRAMEGATE_DATABASE_URL", raising=False)
    lay_out(Home(tmp_path))
    with open_instance(Home(tmp_path).dagster) as instance:
        yield instance


def test_a_run_that_is_being_cancelled_is_left_to_its_supervisor(
    instance: DagsterInstance,
) -> None:
    """Health shows what monitoring fails on: it must not show each cancellation."""
    run = instance.add_run(DagsterRun(job_name="speech", status=DagsterRunStatus.STARTED))
    instance.report_run_canceling(run)

    with WorkspaceProcessContext(instance, EmptyWorkspaceTarget()) as workspace:
        told = list(execute_run_monitoring_iteration(workspace, logging.getLogger("test")))

    found = instance.get_run_by_id(run.run_id)
    assert found
    assert found.status is DagsterRunStatus.CANCELING
    assert not any(told)
