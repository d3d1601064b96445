"""Executes a run of nothing before any run is forked: what a run imports is imported by then.

Dagster imports much of itself when a run first needs it. It has a database of its own,
which is closed and gone afterwards, so that nothing open is forked along.
"""

import logging
import tempfile
from pathlib import Path

from dagster import InitLoggerContext, in_process_executor, job, logger, op, reconstructable

from orchestration.dagster_internals.execution import execute_run_iterator
from orchestration.launcher.instances import open_worker_instance


@logger
def _silence(_context: InitLoggerContext) -> logging.Logger:
    silent = logging.getLogger("framegate.warm_up")
    silent.setLevel(logging.CRITICAL)
    return silent


@op
def nothing() -> None:
    """Does what its name says."""


@job(executor_def=in_process_executor, logger_defs={"silent": _silence})
def warm_up_job() -> None:
    nothing()


def warm_up() -> None:
    with tempfile.TemporaryDirectory(prefix="framegate-") as folder:
        (Path(folder) / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
        with open_worker_instance(Path(folder)) as instance:
            run = instance.create_run_for_job(warm_up_job, run_config={"loggers": {"silent": {}}})
            for _event in execute_run_iterator(reconstructable(warm_up_job), run, instance):
                pass
