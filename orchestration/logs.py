"""Logging in processes whose entry is Dagster's own: they log as all of Framegate does."""

import logging

from dagster import SensorEvaluationContext

from contracts import logs
from orchestration.dagster_internals.automation import DispatchingLogHandler
from orchestration.settings import Settings


def take_over_logging(settings: Settings) -> None:
    """Dagster gives its loggers a handler of its own, and ours none; where the process has been
    configured already, that stays.
    """
    if not logging.getLogger().handlers:
        logs.configure(settings.log_format, settings.log_level)
    logging.getLogger("dagster").handlers.clear()


def warn_of_tick(context: SensorEvaluationContext, logger: logging.Logger, line: str) -> None:
    """Into the tick's own log, which the Dagster UI shows, and into ours.

    Dagster would print the first one as well, as text whatever the settings say.
    """
    for handler in list(context.log.handlers):
        if isinstance(handler, DispatchingLogHandler):
            context.log.removeHandler(handler)
    context.log.warning(line)
    logger.warning(line)
