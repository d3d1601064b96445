"""Where Dagster keeps runs, events and schedules: in SQLite files, or in PostgreSQL when
`FRAMEGATE_DATABASE_URL` names one. dagster.yaml is the same for both.
"""

from collections.abc import Mapping
from typing import Any

from dagster import Field, IntSource, StringSource

from orchestration.dagster_internals.configuration import ConfigurableClassData
from orchestration.dagster_internals.storages import (
    DagsterStorage,
    EventLogStorage,
    RunStorage,
    ScheduleStorage,
)
from orchestration.settings import Settings
from orchestration.storage.event_storage import TemplateEventLogStorage
from orchestration.storage.sqlite import PatientRunStorage, PatientScheduleStorage
from orchestration.storage.stored_text import clean_what_is_stored

clean_what_is_stored()


class ChosenStorage(DagsterStorage[Any]):
    """Configured in dagster.yaml; what it makes is one of the two, never itself.

    The settings say what its config leaves out.
    """

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        return {
            "base_dir": Field(StringSource, is_required=False, description="DAGSTER_HOME."),
            "connections": Field(IntSource, is_required=False, description="To PostgreSQL."),
        }

    @classmethod
    def from_config_value(
        cls,
        inst_data: ConfigurableClassData | None,  # noqa: ARG003 - Dagster's signature
        config_value: Mapping[str, Any],
    ) -> DagsterStorage[Any]:
        settings = Settings()
        url = settings.postgresql
        if url is None:
            return SqliteStorage(config_value.get("base_dir", str(settings.folders.dagster)))
        # Every process of the stack comes this way; dagster-postgres takes 9 MB of each.
        from orchestration.storage.postgres import PostgresStorage  # noqa: PLC0415

        return PostgresStorage(url, config_value.get("connections", settings.database_connections))


class SqliteStorage(DagsterStorage[Any]):
    """Dagster's own files at Dagster's own places under DAGSTER_HOME."""

    def __init__(self, base_dir: str) -> None:
        super().__init__()  # type: ignore[no-untyped-call] # dagster's own
        self._run_storage = PatientRunStorage.from_local(f"{base_dir}/history")
        self._event_log_storage = TemplateEventLogStorage(f"{base_dir}/history/runs")
        self._schedule_storage = PatientScheduleStorage.from_local(f"{base_dir}/schedules")

    @property
    def run_storage(self) -> RunStorage[Any]:
        return self._run_storage

    @property
    def event_log_storage(self) -> EventLogStorage[Any]:
        return self._event_log_storage

    @property
    def schedule_storage(self) -> ScheduleStorage[Any]:
        return self._schedule_storage
