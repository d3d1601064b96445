"""Executes one run in a process forked from the warm server.

The worker writes every event of the run but the last: how the run ended is handed to the
supervisor, which writes it once the process is gone. So a run has one terminal event, written by
the process that accepts cancellations, and never while the run still holds memory.
"""

import logging
import os
import sys
from typing import NoReturn

from dagster import DagsterRun
from dagster._core.events import EngineEventData
from dagster._core.execution.api import execute_run_iterator
from dagster._serdes import serialize_value
from dagster._utils.hosted_user_process import recon_job_from_origin
from dagster._utils.interrupts import capture_interrupts

from contracts import logs
from contracts.home import Home
from contracts.run import FAILURE_TAG
from orchestration.carry_over import carry_over
from orchestration.failure import failure_of
from orchestration.launcher.instance import WorkerInstance

logger = logging.getLogger("framegate.workers")


def execute(run_id: str, home: Home, instance: WorkerInstance, report_to: int) -> NoReturn:
    """Executes the run and writes its last event, serialised, to the file descriptor.

    Ends the process: nothing of what was forked along may run its exit handlers.
    """
    status = 1
    logs.redirect(sys.stderr)
    logger.info("a run worker begins", extra={"pid": os.getpid()})
    try:
        with capture_interrupts(), instance:
            run = instance.get_run_by_id(run_id)
            if run is not None:
                _execute(run, home, instance)
            if instance.last_event is not None:
                with os.fdopen(report_to, "w") as pipe:
                    pipe.write(serialize_value(instance.last_event))
        status = 0
    finally:
        os._exit(status)


def _execute(run: DagsterRun, home: Home, instance: WorkerInstance) -> None:
    instance.report_engine_event(
        f"Run worker started (pid {os.getpid()}).", run, EngineEventData.in_process(os.getpid())
    )
    origin = run.job_code_origin
    if origin is None:
        instance.report_run_failed(run, "The run does not say which code it is of.")
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
