"""Where Dagster keeps runs, events and schedules: in SQLite files, or in PostgreSQL when
`FRAMEGATE_DATABASE_URL` names one. dagster.yaml is the same for both.
"""

from collections.abc import Mapping
from typing import Any

from dagster import Field, IntSource, StringSource
from dagster._core.storage.base_storage import DagsterStorage
from dagster._core.storage.sqlite_storage import DagsterSqliteStorage
from dagster._serdes import ConfigurableClassData

from orchestration.event_storage import TemplateEventLogStorage
from orchestration.postgres import PostgresStorage
from orchestration.settings import Settings


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
        return PostgresStorage(url, config_value.get("connections", settings.database_connections))


class SqliteStorage(DagsterSqliteStorage):
    """Dagster's own files at Dagster's own places, made faster where every run makes one."""

    def __init__(self, base_dir: str) -> None:
        super().__init__(base_dir)
        self._event_log_storage = TemplateEventLogStorage(f"{base_dir}/history/runs")
