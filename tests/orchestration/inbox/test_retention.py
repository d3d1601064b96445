"""What a sweep deletes is not run again, and what lies in the inbox is not swept."""

import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from dagster import DagsterRunStatus

from contracts.run import MEDIA_TAG
from orchestration.maintenance.audit import AuditLog
from orchestration.maintenance.remover import Remover
from orchestration.maintenance.retention_plan import Policy, plan
from orchestration.maintenance.stock import take_stock

_DAY = 24 * 3600.0


@pytest.fixture
def sweep() -> Callable[[Any], None]:
    """A sweep in a hundred days, when all runs have ended."""

    def sweep(inbox: Any) -> None:
        for run in inbox.runs():
            inbox.instance.run_storage.delete_run(run.run_id)
            inbox.instance.add_run(run.with_status(DagsterRunStatus.SUCCESS))
        for facts in inbox.home.all_media.glob("??/*.json"):
            os.utime(facts, (0, 0))
        policy = Policy(now=time.time() + 100 * _DAY, max_age=_DAY, grace=0.0, free_bytes=10**18)
        audit = AuditLog(inbox.home.retention_audit, "sweep", "a test", dry_run=False)
        planned = plan(take_stock(inbox.home, inbox.instance), policy)
        Remover(inbox.home, inbox.instance, policy, audit).remove(planned)

    return sweep


def test_a_sweep_leaves_the_run_of_a_file_that_is_still_there(
    open_inbox: Callable[..., Any], video: Path, sweep: Any
) -> None:
    inbox = open_inbox()
    shutil.copy(video, inbox.folder() / "a.mp4")
    [request] = inbox.tick()
    inbox.tick()

    sweep(inbox)

    assert len(inbox.runs()) == 1
    assert inbox.home.media(request.tags[MEDIA_TAG]).is_file()
    assert inbox.tick() == []
    assert open_inbox().tick() == []  # without its cursor: everything is looked at


def test_a_sweep_knows_a_file_that_was_renamed(inbox: Any, video: Path, sweep: Any) -> None:
    file = Path(shutil.copy(video, inbox.folder() / "a.mp4"))
    inbox.tick()
    file.rename(file.with_name("b.mp4"))
    inbox.tick()

    sweep(inbox)

    assert len(inbox.runs()) == 1


def test_what_is_gone_from_the_inbox_is_swept(inbox: Any, video: Path, sweep: Any) -> None:
    file = Path(shutil.copy(video, inbox.folder() / "a.mp4"))
    [request] = inbox.tick()
    inbox.tick()
    file.unlink()

    sweep(inbox)

    assert inbox.runs() == []
    assert not inbox.home.media(request.tags[MEDIA_TAG]).exists()


def test_a_sweep_after_a_job_was_deleted_does_not_run_its_file_again(
    inbox: Any, video: Path, sweep: Any
) -> None:
    """Nobody touched the file; taking its other name out of the store would have."""
    shutil.copy(video, inbox.folder() / "a.mp4")
    inbox.tick()
    inbox.tick()
    [run] = inbox.runs()
    inbox.instance.delete_run(run.run_id)

    sweep(inbox)

    assert inbox.tick() == []
