"""Dagster's classes still have the methods that Framegate's subclasses put in their place, and
still pass nothing to them that those do not take.
"""

import inspect
from pkgutil import resolve_name
from typing import Any

import pytest

OVERRIDES = [
    "orchestration.compute_logs:DirectComputeLogManager.capture_logs",
    "orchestration.compute_logs:DirectComputeLogManager.config_type",
    "orchestration.compute_logs:DirectComputeLogManager.from_config_value",
    "orchestration.compute_logs:DirectComputeLogManager.get_captured_local_path",
    "orchestration.event_storage:TemplateEventLogStorage._initdb",
    "orchestration.event_storage:TemplateEventLogStorage.delete_events",
    "orchestration.event_storage:TemplateEventLogStorage.run_connection",
    "orchestration.instance:FramegateInstance.create_reexecuted_run",
    "orchestration.instance:FramegateInstance.create_run",
    "orchestration.instance:FramegateInstance.delete_run",
    "orchestration.launcher.coordinator:PromptRunCoordinator.cancel_run",
    "orchestration.launcher.coordinator:PromptRunCoordinator.submit_run",
    "orchestration.launcher.instance:WorkerInstance.add_run_tags",
    "orchestration.launcher.instance:WorkerInstance.handle_new_event",
    "orchestration.launcher.queue:PromptQueueDaemon._dequeue_run",
    "orchestration.launcher.queue:PromptQueueDaemon._get_runs_to_dequeue",
    "orchestration.launcher.queue:PromptQueueDaemon.core_loop",
    "orchestration.launcher.queue:PromptQueueDaemon.run_iteration",
    "orchestration.launcher.run_launcher:WarmRunLauncher.check_run_worker_health",
    "orchestration.launcher.run_launcher:WarmRunLauncher.config_type",
    "orchestration.launcher.run_launcher:WarmRunLauncher.from_config_value",
    "orchestration.launcher.run_launcher:WarmRunLauncher.get_run_worker_debug_info",
    "orchestration.launcher.run_launcher:WarmRunLauncher.inst_data",
    "orchestration.launcher.run_launcher:WarmRunLauncher.launch_run",
    "orchestration.launcher.run_launcher:WarmRunLauncher.supports_check_run_worker_health",
    "orchestration.launcher.run_launcher:WarmRunLauncher.terminate",
    "orchestration.limited_number:LimitedNumber.post_process",
    "orchestration.media_reference:MediaReference.post_process",
    "orchestration.postgres:PooledEventLogStorage.optimize_for_webserver",
    "orchestration.postgres:PooledEventLogStorage.store_event",
    "orchestration.postgres:PooledRunStorage._core_add_run",
    "orchestration.postgres:PooledRunStorage.add_run",
    "orchestration.postgres:PooledRunStorage.add_run_tags",
    "orchestration.postgres:PooledRunStorage.dispose",
    "orchestration.postgres:PooledRunStorage.has_run_stats_index_cols",
    "orchestration.postgres:PooledRunStorage.optimize_for_webserver",
    "orchestration.postgres:PooledScheduleStorage.optimize_for_webserver",
    "orchestration.sqlite:PatientRunStorage.add_run",
    "orchestration.sqlite:PatientRunStorage.connect",
    "orchestration.sqlite:PatientRunStorage.from_local",
    "orchestration.sqlite:PatientScheduleStorage.connect",
    "orchestration.sqlite:PatientScheduleStorage.from_local",
    "orchestration.storage:SqliteStorage.event_log_storage",
    "orchestration.storage:SqliteStorage.run_storage",
    "orchestration.storage:SqliteStorage.schedule_storage",
    "orchestration.webserver:VisitorContext.get_viewer_tags",
    "orchestration.webserver:VisitorProcessContext.create_request_context",
]
CLASSES = sorted({override.rpartition(".")[0] for override in OVERRIDES})


@pytest.mark.parametrize("override", OVERRIDES)
def test_dagster_has_what_is_overridden(override: str) -> None:
    path, _, name = override.rpartition(".")
    ours = _class(path)
    theirs = getattr(super(ours, ours), name)  # raises what is not there

    if callable(theirs):
        by_position, by_name = _passed(theirs)
        taken = inspect.signature(getattr(ours, name))
        taken.bind(*by_position, **dict.fromkeys(by_name))
        taken.bind(**dict.fromkeys(by_position + by_name))


@pytest.mark.parametrize("path", CLASSES)
def test_every_override_is_listed(path: str) -> None:
    ours = _class(path)
    methods = (property, classmethod, type(resolve_name))

    overridden = {
        f"{path}.{name}"
        for name, value in vars(ours).items()
        if isinstance(value, methods) and not name.startswith("__")
        if hasattr(super(ours, ours), name)
    }
    assert overridden == {each for each in OVERRIDES if each.startswith(f"{path}.")}


def _class(path: str) -> Any:
    try:
        return resolve_name(path)
    except ImportError as error:
        pytest.skip(f"{error}: test_symbols.py fails for it")


def _passed(function: object) -> tuple[list[str], list[str]]:
    """The parameters that may be passed by position, and those only by name."""
    parameters = inspect.signature(function).parameters.values()
    return (
        [each.name for each in parameters if each.kind is each.POSITIONAL_OR_KEYWORD],
        [each.name for each in parameters if each.kind is each.KEYWORD_ONLY],
    )
