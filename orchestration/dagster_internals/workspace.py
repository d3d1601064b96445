"""The code locations as daemon and webserver see them, and one request's view of them."""

from dagster._core.workspace.context import (
    BaseWorkspaceRequestContext,
    IWorkspaceProcessContext,
    WorkspaceProcessContext,
    WorkspaceRequestContext,
)
from dagster._core.workspace.load_target import WorkspaceFileTarget

__all__ = [
    "BaseWorkspaceRequestContext",
    "IWorkspaceProcessContext",
    "WorkspaceFileTarget",
    "WorkspaceProcessContext",
    "WorkspaceRequestContext",
]
