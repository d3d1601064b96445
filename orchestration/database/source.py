"""Dagster's SQLite files under a DAGSTER_HOME, read as they lie."""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, Table, create_engine, func, select
from sqlalchemy.pool import NullPool

from orchestration.dagster_internals.tables import Events
from orchestration.database.numbering import Mirrored

Row = dict[str, Any]
#: What is at work, how many of it are done, and how many there are.
Report = Callable[[str, int, int], None]

_CHUNK = 1000


@dataclass(frozen=True)
class SqliteFiles:
    folder: Path

    @property
    def runs(self) -> Path:
        return self.folder / "history" / "runs.db"

    @property
    def index(self) -> Path:
        return self._logs / "index.db"

    @property
    def schedules(self) -> Path:
        return self.folder / "schedules" / "schedules.db"

    def logs(self) -> Mapping[str, Path]:
        """Of each run its own."""
        files = sorted(self._logs.glob("*.db"))
        return {file.stem: file for file in files if file != self.index}

    @property
    def _logs(self) -> Path:
        return self.folder / "history" / "runs"


def count_rows(file: Path, table: Table) -> int:
    with _open(file).connect() as connection:
        return connection.scalar(select(func.count()).select_from(table)) or 0


def read_rows(file: Path, table: Table) -> Iterator[Row]:
    """In the order of their ids."""
    with _open(file).connect().execution_options(yield_per=_CHUNK) as connection:
        for row in connection.execute(select(table).order_by(table.c.id)).mappings():
            yield dict(row)


def survey(files: SqliteFiles, report: Report) -> tuple[Sequence[Mirrored], Mapping[str, int]]:
    """What decides the events' numbers: the index, and how long each run's log is."""
    entries = [
        (row["id"], row["run_id"], _digest(row["event"])) for row in read_rows(files.index, Events)
    ]
    wanted: dict[str, set[bytes]] = defaultdict(set)
    for _id, run_id, digest in entries:
        wanted[run_id].add(digest)
    counts: dict[str, int] = {}
    positions: dict[str, dict[bytes, int]] = {}
    logs = files.logs()
    for number, (run_id, file) in enumerate(logs.items(), start=1):
        counts[run_id], positions[run_id] = _survey_log(file, wanted.get(run_id, set()))
        report("logs", number, len(logs))
    return [
        Mirrored(index_id, run_id, positions.get(run_id, {}).get(digest))
        for index_id, run_id, digest in entries
    ], counts


def _survey_log(file: Path, wanted: set[bytes]) -> tuple[int, dict[bytes, int]]:
    count = 0
    positions: dict[bytes, int] = {}
    for row in read_rows(file, Events):
        if wanted and (digest := _digest(row["event"])) in wanted:
            positions.setdefault(digest, count)
        count += 1
    return count, positions


def _digest(event: str) -> bytes:
    return hashlib.blake2b(event.encode(), digest_size=16).digest()


def _open(file: Path) -> Engine:
    return create_engine(f"sqlite:///{file}", poolclass=NullPool)
