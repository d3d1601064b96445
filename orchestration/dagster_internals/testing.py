"""What tests and benchmarks alone need of Dagster's private parts; no process of ours loads it."""

from dagster._core.code_pointer import ModuleCodePointer
from dagster._core.definitions.job_base import InMemoryJob
from dagster._core.definitions.reconstruct import ReconstructableRepository
from dagster._core.definitions.utils import DISALLOWED_NAMES
from dagster._core.execution.api import create_execution_plan, execute_plan, execute_run
from dagster._core.origin import JobPythonOrigin, RepositoryPythonOrigin
from dagster._core.remote_origin import (
    GrpcServerCodeLocationOrigin,
    InProcessCodeLocationOrigin,
    RegisteredCodeLocationOrigin,
    RemoteInstigatorOrigin,
    RemoteJobOrigin,
    RemoteRepositoryOrigin,
)
from dagster._core.scheduler.instigation import (
    InstigatorStatus,
    InstigatorType,
    SensorInstigatorData,
)
from dagster._core.storage.dagster_run import RunOpConcurrency
from dagster._core.storage.event_log.schema import AssetEventTagsTable, DynamicPartitionsTable
from dagster._core.storage.tags import SCHEDULED_EXECUTION_TIME_TAG
from dagster._core.test_utils import (
    create_test_daemon_workspace_context,
    freeze_time,
)
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
from dagster._core.workspace.load_target import EmptyWorkspaceTarget, InProcessWorkspaceLoadTarget
from dagster._daemon.monitoring.run_monitoring import execute_run_monitoring_iteration
from dagster._daemon.types import DaemonHeartbeat
from dagster._scheduler.scheduler import launch_scheduled_runs
from dagster_graphql.schema import create_schema

__all__ = [
    "DISALLOWED_NAMES",
    "SCHEDULED_EXECUTION_TIME_TAG",
    "AssetEventTagsTable",
    "DaemonHeartbeat",
    "DynamicPartitionsTable",
    "EmptyWorkspaceTarget",
    "GrpcServerCodeLocationOrigin",
    "InMemoryJob",
    "InProcessCodeLocationOrigin",
    "InProcessWorkspaceLoadTarget",
    "InstigatorStatus",
    "InstigatorType",
    "JobPythonOrigin",
    "LoadableTargetOrigin",
    "ModuleCodePointer",
    "ReconstructableRepository",
    "RegisteredCodeLocationOrigin",
    "RemoteInstigatorOrigin",
    "RemoteJobOrigin",
    "RemoteRepositoryOrigin",
    "RepositoryPythonOrigin",
    "RunOpConcurrency",
    "SensorInstigatorData",
    "create_execution_plan",
    "create_schema",
    "create_test_daemon_workspace_context",
    "execute_plan",
    "execute_run",
    "execute_run_monitoring_iteration",
    "freeze_time",
    "launch_scheduled_runs",
]
