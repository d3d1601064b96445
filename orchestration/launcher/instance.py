"""Opening the Dagster instance of this installation, as itself or as a run worker's."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dagster import DagsterEventType, DagsterInstance, EventLogEntry
from dagster._core.instance.ref import InstanceRef
from dagster._serdes import ConfigurableClassData

_TERMINAL = frozenset(
    {
        DagsterEventType.PIPELINE_SUCCESS,
        DagsterEventType.PIPELINE_FAILURE,
        DagsterEventType.PIPELINE_CANCELED,
    }
)


class WorkerInstance(DagsterInstance):
    """A Dagster instance that keeps a run's last event to itself: see worker.py."""

    last_event: EventLogEntry | None = None

    @classmethod
    def config_schema(cls) -> dict[str, Any]:
        return {}

    def handle_new_event(self, event: EventLogEntry, **kwargs: Any) -> None:
        if event.is_dagster_event and event.get_dagster_event().event_type in _TERMINAL:
            self.last_event = event
            return
        super().handle_new_event(event, **kwargs)


@dataclass(frozen=True)
class Instances:
    """Opened before the fork, used after it: their storages connect anew for each statement."""

    own: DagsterInstance
    worker: WorkerInstance


def open_instances(dagster_home: Path) -> Instances:
    return Instances(open_instance(dagster_home), open_worker_instance(dagster_home))


def open_instance(dagster_home: Path) -> DagsterInstance:
    return DagsterInstance.from_ref(InstanceRef.from_dir(str(dagster_home)))


def open_worker_instance(dagster_home: Path) -> WorkerInstance:
    ref = InstanceRef.from_dir(str(dagster_home))._replace(
        custom_instance_class_data=ConfigurableClassData(__name__, WorkerInstance.__name__, "{}")
    )
    instance = DagsterInstance.from_ref(ref)
    if not isinstance(instance, WorkerInstance):
        raise TypeError("dagster did not make the instance that was asked for")
    return instance
