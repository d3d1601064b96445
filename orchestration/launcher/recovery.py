"""After a crash: runs that nobody supervises go back into the queue.

Each part settles what was its own. The daemon starts runs, and mends those that were about to start
before it launches anything. The fork server looks after runs under way, and mends those before it
answers anybody; but for those that its own process is still to speak for, after starting over.
"""

import logging
import shutil
import time
from collections.abc import Collection, Sequence

from dagster import DagsterInstance, DagsterRunStatus, RunsFilter

from contracts.home import Home
from contracts.lock_file import locked_folder
from orchestration.launcher.messages import (
    NoAnswerError,
    NobodyListensError,
    ask,
    is_anybody_there,
)
from orchestration.launcher.paths import run_socket, run_sockets
from orchestration.launcher.reporter import Reporter

logger = logging.getLogger("framegate.launcher")

UNDER_WAY = (DagsterRunStatus.STARTED, DagsterRunStatus.CANCELING)
STARTING = (DagsterRunStatus.STARTING,)

#: Longer than it takes the server to find out that changed code does not load.
_SERVER_SECONDS = 150.0


def recover(
    instance: DagsterInstance,
    home: Home,
    statuses: Sequence[DagsterRunStatus],
    spoken_for: Collection[str] = (),
) -> None:
    """Reconciles every run in one of these states that nobody supervises or will report."""
    with locked_folder(run_sockets(home)):  # daemon and server: one after the other
        for run in instance.get_runs(RunsFilter(statuses=statuses)):
            if run.run_id in spoken_for or is_anybody_there(run_socket(home, run.run_id)):
                continue
            try:
                _reconcile(instance, home, run.run_id, statuses)
            except Exception:  # the others are to be settled all the same
                logger.exception("run %s cannot be settled", run.run_id)
        sweep(instance, home)


def runs_of_server(home: Home) -> Collection[str]:
    """The runs that the fork server speaks for, once it has answered whatever it was asked before.

    None if there is no server: then the next one settles what it finds.
    """
    deadline = time.monotonic() + _SERVER_SECONDS
    while time.monotonic() < deadline:
        try:
            return set(ask(home.fork_server_socket, {"action": "status"})["runs"])
        except NoAnswerError:
            logger.warning("the fork server is busy: its answer is waited for")
        except NobodyListensError:
            break
    return ()


def sweep(instance: DagsterInstance, home: Home) -> None:
    """Removes what ended runs had not finished writing; whoever ends a run does so at once, unless
    it is killed just then.
    """
    for partial in home.jobs.glob("*/partial"):
        run = instance.get_run_by_id(partial.parent.name)
        if run is None or run.is_finished:
            shutil.rmtree(partial, ignore_errors=True)


def _reconcile(
    instance: DagsterInstance, home: Home, run_id: str, statuses: Sequence[DagsterRunStatus]
) -> None:
    run = instance.get_run_by_id(run_id)
    if run is None or run.status not in statuses:
        return  # somebody has settled it since the list was read
    reporter = Reporter(instance, home, run_id)
    if reporter.conclude():
        return
    if run.status is DagsterRunStatus.CANCELING:
        reporter.report_lost()
    else:
        reporter.requeue(run, "The stack ended while the run was under way.")
