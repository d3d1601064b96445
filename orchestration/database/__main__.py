"""The verbs: `check` and `migrate` the database of the settings; `copy` the home's files to it."""

import json
import sys
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from dagster import DagsterInstance

from orchestration.database.contents import contents
from orchestration.database.copy import CopyError, copy
from orchestration.database.schema import migrate, version
from orchestration.database.source import SqliteFiles
from orchestration.database.tables import has_tables
from orchestration.launcher.instances import open_instance
from orchestration.settings import Settings
from orchestration.storage.chosen import SqliteStorage
from orchestration.storage.postgres import PostgresStorage, shared_engine

#: One reads the lock, one writes, one looks.
_CONNECTIONS = 3


def main(verb: str) -> int:
    settings = Settings()
    try:
        if verb == "copy":
            _tell(copied=_copy(settings))
        elif verb == "check" and not _has_tables(settings):
            _tell(version=None, contents=None)
        else:
            with open_instance(settings.folders.dagster) as instance:
                _check(instance, settings) if verb == "check" else _migrate(instance)
    except CopyError as error:
        _tell(error=str(error))
        return 1
    return 0


def _has_tables(settings: Settings) -> bool:
    """Opening an instance would make them."""
    url = settings.postgresql
    if url is None:
        return SqliteFiles(settings.folders.dagster).runs.exists()
    return has_tables(shared_engine(url, _CONNECTIONS))


def _check(instance: DagsterInstance, settings: Settings) -> None:
    _tell(version=asdict(version(instance)), contents=asdict(contents(instance, settings.folders)))


def _migrate(instance: DagsterInstance) -> None:
    """Where the tables are the latest, too: what is done to their rows may have been cut off."""
    before = version(instance)
    _tell(before=before.current, after=migrate(instance).current)


def _copy(settings: Settings) -> Mapping[str, int]:
    files = SqliteFiles(settings.folders.dagster)
    url = settings.postgresql
    if url is None:
        raise CopyError("FRAMEGATE_DATABASE_URL names no PostgreSQL to copy to.")
    if not files.runs.exists():
        raise CopyError(f"There is nothing to copy: {files.runs} does not exist.")
    for storage in (SqliteStorage(str(files.folder)), PostgresStorage(url, _CONNECTIONS)):
        if not version(storage).is_latest:
            raise CopyError("Tables are of an earlier version of Dagster: `framegate db migrate`.")
    engine = shared_engine(url, _CONNECTIONS).execution_options(isolation_level="READ COMMITTED")
    with engine.begin() as target:
        return copy(files, target, lambda what, done, total: _tell(progress=[what, done, total]))


def _tell(**facts: Any) -> None:
    print(json.dumps(facts), flush=True)  # noqa: T201 - what this program is for


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
