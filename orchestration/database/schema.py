"""Which version Dagster's tables are at, and bringing them up to date."""

import sys
from contextlib import redirect_stdout
from dataclasses import dataclass
from typing import Any

from dagster import DagsterInstance

from orchestration.dagster_internals.storages import DagsterStorage


@dataclass(frozen=True)
class Version:
    """Alembic's revisions."""

    current: str | None
    latest: str | None

    @property
    def is_latest(self) -> bool:
        return self.current == self.latest


def version(storage: DagsterInstance | DagsterStorage[Any]) -> Version:
    """Of what is behind, if something is: with SQLite each storage has tables of its own."""
    storages = (storage.run_storage, storage.event_log_storage, storage.schedule_storage)
    versions = [
        Version(revisions[0], str(revisions[1]))
        for each in storages
        if each and (revisions := each.alembic_version())
    ]
    return next((one for one in versions if not one.is_latest), versions[0])


def migrate(instance: DagsterInstance) -> Version:
    """What Dagster prints meanwhile goes to stderr."""
    with redirect_stdout(sys.stderr):
        instance.upgrade()
    return version(instance)
