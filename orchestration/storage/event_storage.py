"""Dagster's SQLite event log, with a run's database made by copying an empty one.

Dagster keeps a database per run and has Alembic look at it in every process that opens it, which
takes longer than all that a short run writes. Alembic's part is done once here, for a template.
"""

import os
import shutil
from pathlib import Path
from typing import Any

from dagster import __version__
from sqlalchemy import Engine, create_engine
from sqlalchemy.pool import NullPool

from orchestration.dagster_internals.sqlite import INDEX_SHARD_NAME, SqliteEventLogStorage
from orchestration.storage.sqlite import is_whole, note_whole


class TemplateEventLogStorage(SqliteEventLogStorage):
    """See `SqliteStorage`."""

    def _initdb(self, engine: Engine, for_index_shard: bool = False) -> None:  # noqa: FBT001, FBT002 - Dagster's signature
        path = Path(str(engine.url.database))
        if path.stem == INDEX_SHARD_NAME:
            if not is_whole(path):
                super()._initdb(engine, for_index_shard)
                note_whole(path)
        elif not path.exists():
            _link_copy(self._template(), path)

    def run_connection(self, run_id: str | None = None) -> Any:
        """Another process may have deleted the run, and its database with it."""
        if run_id and not Path(self.path_for_shard(run_id)).exists():
            self._initialized_dbs.discard(run_id)
        return super().run_connection(run_id)

    def delete_events(self, run_id: str) -> None:
        """Of a deleted run nothing stays, not even the empty file that Dagster would leave."""
        super().delete_events(run_id)
        shard = Path(self.path_for_shard(run_id))
        for path in (shard, *shard.parent.glob(f"{shard.name}-*")):
            path.unlink(missing_ok=True)

    def _template(self) -> Path:
        """An empty database of this Dagster's schema. It appears whole."""
        template = Path(self._base_dir) / "template" / f"{__version__}.db"
        if not template.exists():
            template.parent.mkdir(exist_ok=True)
            own = _own(template)
            engine = create_engine(f"sqlite:///{own}", poolclass=NullPool)
            super()._initdb(engine)
            own.replace(template)
        return template


def _link_copy(template: Path, path: Path) -> None:
    """Another process may make the same database: the first one's stays."""
    own = _own(path)
    shutil.copyfile(template, own)
    try:
        path.hardlink_to(own)
    except FileExistsError:
        return
    finally:
        own.unlink()


def _own(path: Path) -> Path:
    """A name beside the path that no other process or thread uses."""
    return path.with_name(f"{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
