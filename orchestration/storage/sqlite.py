"""Dagster's SQLite storages of runs and schedules, as patient as its storage of events.

Dagster gives a statement on these two 5 s to get at the file, which eight runs on a slow disk can
use up: "database is locked". It also sets up an engine for each statement, which takes longer than
the statement. A connection is still made for each, so nothing open is ever forked along. And it has
Alembic read all of its revisions whenever an instance is opened, as for each tick of a sensor; here
that is done once a process.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from dagster import DagsterRun
from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy.pool import NullPool

from orchestration.dagster_internals.configuration import ConfigurableClassData
from orchestration.dagster_internals.sqlite import (
    SQLITE_BUSY_TIMEOUT_SECONDS,
    SqliteRunStorage,
    SqliteScheduleStorage,
)
from orchestration.storage.launch import add_once

#: Databases that this process has found, or made, whole.
_whole: set[Path] = set()


def is_whole(path: Path) -> bool:
    """Whether nobody needs to look at the tables of this database again."""
    return path in _whole and path.exists()


def note_whole(path: Path) -> None:
    _whole.add(path)


class PatientRunStorage(SqliteRunStorage):
    def __init__(self, conn_string: str, inst_data: Any = None) -> None:
        super().__init__(conn_string, inst_data)
        self._engine = _engine(conn_string)

    @classmethod
    def from_local(cls, base_dir: str, inst_data: ConfigurableClassData | None = None) -> Self:
        path = Path(base_dir) / "runs.db"
        if is_whole(path):
            return cls(f"sqlite:///{path.absolute()}", inst_data)
        storage = super().from_local(base_dir, inst_data)
        note_whole(path)
        return storage

    def add_run(self, dagster_run: DagsterRun) -> DagsterRun:
        return add_once(dagster_run, super().add_run, self)

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        with self._engine.begin() as connection:
            yield connection


class PatientScheduleStorage(SqliteScheduleStorage):
    def __init__(self, conn_string: str, inst_data: Any = None) -> None:
        super().__init__(conn_string, inst_data)
        self._engine = _engine(conn_string)

    @classmethod
    def from_local(
        cls, base_dir: str, inst_data: ConfigurableClassData | None = None
    ) -> SqliteScheduleStorage:
        path = Path(base_dir) / "schedules.db"
        if is_whole(path):
            return cls(f"sqlite:///{path.absolute()}", inst_data)
        storage = super().from_local(base_dir, inst_data)
        note_whole(path)
        return storage

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        with self._engine.begin() as connection:
            yield connection


def _engine(address: str) -> Engine:
    return create_engine(
        address, poolclass=NullPool, connect_args={"timeout": SQLITE_BUSY_TIMEOUT_SECONDS}
    )
