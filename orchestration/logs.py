"""Logging in processes whose entry is Dagster's own: they log as all of Framegate does."""

import logging

from contracts import logs
from orchestration.settings import Settings


def take_over_logging(settings: Settings) -> None:
    """Dagster gives its loggers a handler of its own, and ours none; where the process has been
    configured already, that stays.
    """
    if not logging.getLogger().handlers:
        logs.configure(settings.log_format, settings.log_level)
    logging.getLogger("dagster").handlers.clear()
