"""Opening the Dagster instance of this installation, as itself or as a run worker's."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from dagster import DagsterEventType, DagsterInstance, EventLogEntry

from contracts.database import RUN_CONNECTIONS
from orchestration.dagster_internals.configuration import ConfigurableClassData, InstanceRef
from orchestration.storage.chosen import ChosenStorage
from orchestration.storage.disk_space import await_room

#: One of these says how a run ended.
TERMINAL_EVENTS = frozenset(
    {
        DagsterEventType.PIPELINE_SUCCESS,
        DagsterEventType.PIPELINE_FAILURE,
        DagsterEventType.PIPELINE_CANCELED,
    }
)


class WorkerInstance(DagsterInstance):
    """A Dagster instance that keeps a run's last event to itself: see worker.py.

    On a full disk, what is said of the run waits for room.
    """

    last_event: EventLogEntry | None = None

    @classmethod
    def config_schema(cls) -> dict[str, Any]:
        return {}

    def handle_new_event(self, event: EventLogEntry, **kwargs: Any) -> None:
        if event.is_dagster_event and event.get_dagster_event().event_type in TERMINAL_EVENTS:
            self.last_event = event
            return
        await_room(Path(self.root_directory))
        super().handle_new_event(event, **kwargs)

    def add_run_tags(self, run_id: str, new_tags: Mapping[str, str]) -> None:
        await_room(Path(self.root_directory))
        super().add_run_tags(run_id, new_tags)


@dataclass(frozen=True)
class Instances:
    """Opened before the fork, used after it: no connection is open meanwhile."""

    own: DagsterInstance
    worker: WorkerInstance


def open_instances(dagster_home: Path) -> Instances:
    """For the processes of a run; there are many of those, so each may have few connections."""
    ref = _ref(dagster_home, connections=RUN_CONNECTIONS)
    instances = Instances(DagsterInstance.from_ref(ref), _open_worker(ref))
    instances.own.run_storage.dispose()
    return instances


def open_instance(dagster_home: Path) -> DagsterInstance:
    return DagsterInstance.from_ref(_ref(dagster_home))


def open_worker_instance(dagster_home: Path) -> WorkerInstance:
    """Of any DAGSTER_HOME: what its dagster.yaml says is all that counts."""
    return _open_worker(InstanceRef.from_dir(str(dagster_home)))


def _ref(dagster_home: Path, **storage: int) -> InstanceRef:
    config = yaml.dump({"base_dir": str(dagster_home), **storage})
    return InstanceRef.from_dir(str(dagster_home))._replace(
        storage_data=ConfigurableClassData(ChosenStorage.__module__, ChosenStorage.__name__, config)
    )


def _open_worker(ref: InstanceRef) -> WorkerInstance:
    instance = DagsterInstance.from_ref(
        ref._replace(
            custom_instance_class_data=ConfigurableClassData(
                __name__, WorkerInstance.__name__, "{}"
            )
        )
    )
    if not isinstance(instance, WorkerInstance):
        raise TypeError("dagster did not make the instance that was asked for")
    return instance
