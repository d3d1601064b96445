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
    "orchestration.storage.event_storage:TemplateEventLogStorage._initdb",
    "orchestration.storage.event_storage:TemplateEventLogStorage.delete_events",
    "orchestration.storage.event_storage:TemplateEventLogStorage.run_connection",
    "orchestration.instance:FramegateInstance.create_reexecuted_run",
    "orchestration.instance:FramegateInstance.create_run",
    "orchestration.instance:FramegateInstance.delete_run",
    "orchestration.launcher.coordinator:PromptRunCoordinator.cancel_run",
    "orchestration.launcher.coordinator:PromptRunCoordinator.submit_run",
    "orchestration.launcher.instances:WorkerInstance.add_run_tags",
    "orchestration.launcher.instances:WorkerInstance.handle_new_event",
    "orchestration.launcher.queue:PromptQueueDaemon._dequeue_run",
    "orchestration.launcher.queue:PromptQueueDaemon._get_runs_to_dequeue",
    "orchestration.launcher.queue:PromptQueueDaemon.core_loop",
    "orchestration.launcher.queue:PromptQueueDaemon.run_iteration",
    "orchestration.launcher.run_launcher:LocalRunLauncher.check_run_worker_health",
    "orchestration.launcher.run_launcher:LocalRunLauncher.config_type",
    "orchestration.launcher.run_launcher:LocalRunLauncher.from_config_value",
    "orchestration.launcher.run_launcher:LocalRunLauncher.get_run_worker_debug_info",
    "orchestration.launcher.run_launcher:LocalRunLauncher.inst_data",
    "orchestration.launcher.run_launcher:LocalRunLauncher.launch_run",
    "orchestration.launcher.run_launcher:LocalRunLauncher.supports_check_run_worker_health",
    "orchestration.launcher.run_launcher:LocalRunLauncher.terminate",
    "orchestration.annotation.limited_number:LimitedNumber.post_process",
    "orchestration.annotation.media_reference:MediaReference.post_process",
    "orchestration.storage.postgres:PooledEventLogStorage.optimize_for_webserver",
    "orchestration.storage.postgres:PooledEventLogStorage.store_event",
    "orchestration.storage.postgres:PooledRunStorage._core_add_run",
    "orchestration.storage.postgres:PooledRunStorage.add_run",
    "orchestration.storage.postgres:PooledRunStorage.add_run_tags",
    "orchestration.storage.postgres:PooledRunStorage.dispose",
    "orchestration.storage.postgres:PooledRunStorage.has_run_stats_index_cols",
    "orchestration.storage.postgres:PooledRunStorage.optimize_for_webserver",
    "orchestration.storage.postgres:PooledScheduleStorage.optimize_for_webserver",
    "orchestration.storage.sqlite:PatientRunStorage.add_run",
    "orchestration.storage.sqlite:PatientRunStorage.connect",
    "orchestration.storage.sqlite:PatientRunStorage.from_local",
    "orchestration.storage.sqlite:PatientScheduleStorage.connect",
    "orchestration.storage.sqlite:PatientScheduleStorage.from_local",
    "orchestration.storage.chosen:SqliteStorage.event_log_storage",
    "orchestration.storage.chosen:SqliteStorage.run_storage",
    "orchestration.storage.chosen:SqliteStorage.schedule_storage",
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
