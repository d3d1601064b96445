"""Launching, as the queue asks for it."""

from collections.abc import Callable
from typing import Any

import pytest
from dagster import DagsterInstance, DagsterRun, DagsterRunStatus
from sqlalchemy.exc import DBAPIError, OperationalError, ProgrammingError

from orchestration.dagster_internals.launcher import (
    DagsterUserCodeUnreachableError,
    LaunchRunContext,
)
from orchestration.launcher.run_launcher import LocalRunLauncher

#: It needs a GPU, or the processor's slot.
PIPELINE = "scene_detection"


@pytest.fixture
def context(dagster: DagsterInstance, origin_of: Callable[[str], Any]) -> LaunchRunContext:
    run = DagsterRun(
        PIPELINE, status=DagsterRunStatus.STARTING, remote_job_origin=origin_of(PIPELINE)
    )
    return LaunchRunContext(dagster_run=dagster.add_run(run), workspace=None)


@pytest.fixture
def refuse(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Has placing a run fail with an error of the database."""

    def refuse(kind: type[DBAPIError]) -> None:
        def fail(*_arguments: Any) -> None:
            raise kind("UPDATE", {}, Exception("the server closed the connection"))

        monkeypatch.setattr(LocalRunLauncher, "_lease", fail)

    return refuse


def test_while_the_database_is_away_a_run_stays_queued(
    dagster: DagsterInstance, context: LaunchRunContext, refuse: Callable[..., None]
) -> None:
    refuse(OperationalError)

    with pytest.raises(DagsterUserCodeUnreachableError, match="closed the connection"):
        dagster.run_launcher.launch_run(context)


def test_what_will_not_come_right_fails_the_launch(
    dagster: DagsterInstance, context: LaunchRunContext, refuse: Callable[..., None]
) -> None:
    refuse(ProgrammingError)

    with pytest.raises(ProgrammingError):
        dagster.run_launcher.launch_run(context)
