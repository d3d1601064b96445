"""Dagster's web application, and the log of its program."""

from dagster._utils.log import configure_loggers
from dagster_webserver.app import create_app_from_workspace_process_context

__all__ = ["configure_loggers", "create_app_from_workspace_process_context"]
