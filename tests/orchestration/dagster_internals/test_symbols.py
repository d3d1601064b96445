"""Dagster still has what the room imports, and takes what Framegate passes to it.

`make try-dagster` runs these tests, and those beside them, against the newest Dagster. What is
imported is read from the room's text: of a symbol that is gone, only its own test fails.
"""

import ast
import inspect
from pkgutil import resolve_name
from typing import Any

import pytest

from contracts.project import PROJECT

ROOM = PROJECT / "orchestration" / "dagster_internals"
#: Of each name its whole path, such as `dagster._core.storage.tags.RUN_KEY_TAG`.
IMPORTED = {
    name.name: f"{statement.module}.{name.name}"
    for file in ROOM.glob("*.py")
    for statement in ast.parse(file.read_text()).body
    if isinstance(statement, ast.ImportFrom) and str(statement.module).startswith("dagster")
    for name in statement.names
}
#: How Framegate calls them; by position, parameters are named as Dagster has them.
CALLS = """
CapturedLogContext(log_key)
CheckRunHealthResult(status, msg)
CodeLocation.get_job(self, selector)
ConfigScalar(key, given_name, scalar_kind)
ConfigurableClassData(module_name, class_name, config_yaml)
DagsterGrpcClient(host=host, socket=socket)
DagsterGrpcClient.reload_code(self, timeout)
EngineEventData.in_process(pid)
GlobalOpConcurrencyLimitsCounter(
    instance,
    runs,
    in_progress_run_records,
    concurrency_keys=keys,
    pool_limits=limits,
    slot_count_offset=offset,
    pool_granularity=granularity,
)
InstanceRef.config_defaults(base_dir)
InstanceRef.from_dir(base_dir)
LocalComputeLogManager(base_dir=folder, inst_data=data)
LocalComputeLogManager.complete_artifact_path(self, log_key)
PostgresRunStorage(postgres_url, should_autocreate_tables=no)
QueuedRunCoordinatorDaemon(interval_seconds)
QueuedRunCoordinatorDaemon._get_in_progress_run_records(self, instance)
QueuedRunCoordinatorDaemon._priority_sort(self, runs)
RunStatusSensorCursor.from_json(json_str)
RunStatusSensorCursor.is_valid(json_str)
SqlEventLogStorage._store_asset_event(self, conn, event, event_id)
SqlEventLogStorage._store_asset_event_tags(self, conn, events, event_ids)
SqliteEventLogStorage.path_for_shard(self, run_id)
SqliteRunStorage(conn_string, inst_data)
SqliteScheduleStorage(conn_string, inst_data)
TagConcurrencyLimitsCounter(tag_concurrency_limits, in_progress_tagged_items)
WorkspaceProcessContext(instance, workspace_load_target, version=version)
WorkspaceRequestContext(
    instance=instance,
    current_workspace=workspace,
    process_context=context,
    version=version,
    source=source,
    read_only=read_only,
)
configure_loggers(formatter=name, log_level=level)
copy(record, run_id=run_id)
create_app_from_workspace_process_context(
    workspace_process_context, path_prefix, live_data_poll_rate
)
create_daemon_of_type(daemon_type, instance)
daemon_controller_from_instance(
    instance, workspace_load_target, gen_daemons=daemons, log_level=level, log_format=name
)
execute_run_iterator(job, dagster_run, instance)
get_input_data_version_tag(input_key)
get_input_event_pointer_tag(input_key)
is_valid_cron_schedule(cron_schedule)
pg_alembic_config(dunder_file)
recon_job_from_origin(origin)
redirect_to_file(stream, filepath)
retry_pg_connection_fn(fn)
set_pg_statement_timeout(conn, millis)
stamp_alembic_rev(alembic_config, conn)
"""
#: Attributes of modules that Framegate sets, and Dagster then reads.
SET = [
    "dagster._grpc.client.CLIENT_HEARTBEAT_INTERVAL",
    "dagster._grpc.server_watcher.MAX_RECONNECT_ATTEMPTS",
    "dagster._grpc.server_watcher.WATCH_INTERVAL",
]


@pytest.mark.parametrize("path", sorted({*IMPORTED.values(), *SET}))
def test_dagster_has(path: str) -> None:
    resolve_name(path)  # raises what is not there


@pytest.mark.parametrize(
    "call", [statement.value for statement in ast.parse(CALLS).body], ids=ast.unparse
)
def test_dagster_takes(call: ast.Call) -> None:
    by_position = [ast.unparse(argument) for argument in call.args]
    by_name = [str(keyword.arg) for keyword in call.keywords]
    signature = inspect.signature(_called(ast.unparse(call.func)))

    assert list(signature.parameters)[: len(by_position)] == by_position
    signature.bind(*by_position, **dict.fromkeys(by_name))


def _called(name: str) -> Any:
    symbol, _, method = name.partition(".")
    found = resolve_name(IMPORTED[symbol])
    return getattr(found, method) if method else found
