"""Runs: a changed copy of one, and that there is one already."""

from dagster._core.errors import DagsterRunAlreadyExists
from dagster_shared.record import copy

__all__ = ["DagsterRunAlreadyExists", "copy"]
