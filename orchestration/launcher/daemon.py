"""Dagster's daemon with our queue in it. First it reconciles runs that a crash left behind."""

import signal
from collections.abc import Iterator
from typing import Any

from dagster import DagsterInstance

from contracts import logs
from contracts.project import configuration_file
from contracts.run import POOL
from orchestration.dagster_internals.daemon import (
    DagsterDaemon,
    capture_interrupts,
    create_daemon_of_type,
    daemon_controller_from_instance,
)
from orchestration.dagster_internals.workspace import WorkspaceFileTarget
from orchestration.launcher.queue import PromptQueueDaemon
from orchestration.launcher.recovery import STARTING, recover, runs_of_server
from orchestration.logs import take_over_logging
from orchestration.settings import Settings
from orchestration.slower_polling import poll_less_often
from orchestration.storage.disk_space import await_room

_QUEUE_SECONDS = 5.0
_POOL_LIMIT_FORGOTTEN = "framegate/pool_limit_forgotten"


def main() -> None:
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    settings = Settings()
    logs.configure(settings.log_format, settings.log_level)
    poll_less_often()
    try:
        with capture_interrupts(), DagsterInstance.get() as instance:
            await_room(settings.folders.root)
            recover(instance, settings.folders, STARTING, runs_of_server(settings.folders))
            forget_pool_limit(instance)
            with daemon_controller_from_instance(
                instance,
                WorkspaceFileTarget([str(configuration_file("workspace.yaml"))]),
                gen_daemons=lambda instance: _daemons(instance, settings),
                log_level=settings.log_level,
                log_format="json" if settings.log_format == "json" else "colored",
            ) as controller:
                take_over_logging(settings)
                controller.check_daemon_loop()
    except KeyboardInterrupt:
        return


def _daemons(instance: DagsterInstance, settings: Settings) -> Iterator[DagsterDaemon[Any]]:
    for daemon_type in instance.get_required_daemon_types():
        if daemon_type == PromptQueueDaemon.daemon_type():
            yield PromptQueueDaemon(settings, _QUEUE_SECONDS)
        else:
            yield create_daemon_of_type(daemon_type, instance)


def forget_pool_limit(instance: DagsterInstance) -> None:
    """Once: the limit that an earlier version set at each start, whatever it had been before. One
    that is set in the UI from now on stays, and Dagster keeps to it.
    """
    if instance.run_storage.get_cursor_values({_POOL_LIMIT_FORGOTTEN}):
        return
    instance.event_log_storage.delete_concurrency_limit(POOL)
    instance.run_storage.set_cursor_values({_POOL_LIMIT_FORGOTTEN: "yes"})


if __name__ == "__main__":
    main()
