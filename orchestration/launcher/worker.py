"""Executes one run in a process forked from the fork server.

The worker writes every event of the run but the last: how the run ended is handed to the
supervisor, which writes it once the process is gone. So a run has one terminal event, written by
the process that accepts cancellations, and never while the run still holds memory.
"""

import logging
import os
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from dagster import DagsterRun, EventLogEntry, deserialize_value, serialize_value

from contracts import logs
from contracts.child_environment import pipeline_environment
from contracts.home import Home
from contracts.run import FAILURE_TAG
from orchestration.annotation.carry_over import carry_over
from orchestration.annotation.failure import failure_of, text_of
from orchestration.annotation.shared_process import only_in_this_process
from orchestration.dagster_internals.execution import (
    EngineEventData,
    capture_interrupts,
    execute_run_iterator,
    recon_job_from_origin,
)
from orchestration.launcher import messages
from orchestration.launcher.environment import replace_environment
from orchestration.launcher.instances import TERMINAL_EVENTS, WorkerInstance
from orchestration.launcher.paths import run_socket

logger = logging.getLogger("framegate.workers")

_TRIES = 5
_ANSWER_SECONDS = 30.0
_PAUSE_SECONDS = 0.5


def execute(
    run_id: str, home: Home, instance: WorkerInstance, variables: Sequence[str]
) -> NoReturn:
    """Executes the run and tells the supervisor its last event. `variables` are those of the
    environment that pipelines see besides the usual ones.

    No file of ours is open for that while a pipeline is at work, which may close or write to any.
    Ends the process: nothing of what was forked along may run its exit handlers.
    """
    status = 1
    logs.redirect(sys.stderr)
    logger.info("a run worker begins", extra={"pid": os.getpid()})
    try:
        with only_in_this_process(), capture_interrupts(), instance:
            run = instance.get_run_by_id(run_id)
            # Now that the database is open:
            replace_environment(pipeline_environment(os.environ, variables))
            if run is not None:
                _execute(run, home, instance)
            if instance.last_event is not None:
                event = serialize_value(instance.last_event)
                _tell({"action": "ended", "event": event}, run_socket(home, run_id))
        status = 0
    except BaseException as error:
        logger.exception("the run worker cannot go on")
        reason = f"{type(error).__name__}: {text_of(error)}"
        _tell({"action": "lost", "reason": reason}, run_socket(home, run_id))
    finally:
        os._exit(status)


def read_last_event(run_id: str, message: Mapping[str, Any]) -> EventLogEntry:
    """What `execute` tells. Raises ValueError for anything else."""
    try:
        entry = deserialize_value(message["event"], EventLogEntry)
    except Exception as error:  # whatever Dagster makes of a stranger's text
        raise ValueError("the message holds no event") from error
    if entry.run_id != run_id or entry.dagster_event_type not in TERMINAL_EVENTS:
        raise ValueError("the event does not say how the run ended")
    return entry


def _tell(message: Mapping[str, Any], path: Path) -> None:
    """To the supervisor; where that does not answer, the worker's exit code says the rest."""
    for _ in range(_TRIES):
        try:
            messages.ask(path, message, timeout=_ANSWER_SECONDS)
        except messages.NobodyListensError:
            logger.warning("the supervisor does not answer")
            time.sleep(_PAUSE_SECONDS)
        else:
            return


def _execute(run: DagsterRun, home: Home, instance: WorkerInstance) -> None:
    instance.report_engine_event(
        f"Run worker started (pid {os.getpid()}).", run, EngineEventData.in_process(os.getpid())
    )
    origin = run.job_code_origin
    if origin is None:
        instance.report_run_failed(run, "The run names no code location.")
        return
    try:
        run = carry_over(run, instance, home)
    except Exception as error:  # noqa: BLE001 - the run must end, and say why
        failure = failure_of(error)
        instance.add_run_tags(run.run_id, {FAILURE_TAG: failure.to_tag()})
        instance.report_run_failed(run, f"{failure.code}: {failure.message}")
        return
    try:
        for _event in execute_run_iterator(recon_job_from_origin(origin), run, instance):
            pass
    except Exception as error:  # noqa: BLE001 - the run must end, and say why
        instance.report_run_failed(run, f"The run could not be executed: {error!r}")
