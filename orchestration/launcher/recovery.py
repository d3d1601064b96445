"""After a crash: runs that nobody supervises go back into the queue.

The daemon mends before it launches anything, so it may mend runs that were about to start. The
warm server mends before it answers, but leaves those alone: the daemon may be starting them.
"""

import logging
import shutil
from collections.abc import Sequence

from dagster import DagsterInstance, DagsterRun, DagsterRunStatus, RunsFilter

from contracts.home import Home
from orchestration.launcher import messages
from orchestration.launcher.paths import run_socket
from orchestration.launcher.report import Reporter

logger = logging.getLogger("framegate.launcher")

UNDER_WAY = (DagsterRunStatus.STARTED, DagsterRunStatus.CANCELING)
STARTING = (DagsterRunStatus.NOT_STARTED, DagsterRunStatus.STARTING)


def recover(instance: DagsterInstance, home: Home, statuses: Sequence[DagsterRunStatus]) -> None:
    """Settles every run in one of these states that has no supervisor."""
    for run in instance.get_runs(RunsFilter(statuses=statuses)):
        if _is_supervised(home, run):
            continue
        try:
            _settle(instance, home, run)
        except Exception:  # the others are to be settled all the same
            logger.exception("run %s cannot be settled", run.run_id)
    sweep(instance, home)


def sweep(instance: DagsterInstance, home: Home) -> None:
    """Removes what ended runs had not finished writing; whoever ends a run does so at once, unless
    it is killed just then.
    """
    for partial in home.jobs.glob("*/partial"):
        run = instance.get_run_by_id(partial.parent.name)
        if run is None or run.is_finished:
            shutil.rmtree(partial, ignore_errors=True)


def _settle(instance: DagsterInstance, home: Home, run: DagsterRun) -> None:
    reporter = Reporter(instance, home, run.run_id)
    if reporter.conclude():
        return
    if run.status is DagsterRunStatus.CANCELING:
        reporter.report_lost()
    else:
        reporter.requeue(run, "The stack ended while the run was under way.")


def _is_supervised(home: Home, run: DagsterRun) -> bool:
    try:
        messages.ask(run_socket(home, run.run_id), {"action": "status"})
    except messages.NobodyListensError:
        return False
    return True
