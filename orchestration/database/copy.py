"""Copies Dagster's SQLite files into an empty PostgreSQL database, within one transaction."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path

from sqlalchemy import Connection, Table, func, insert, select, text

from orchestration.dagster_internals.tables import (
    Events,
    RunStorageSqlMetadata,
    ScheduleStorageSqlMetadata,
    SqlEventLogStorageMetadata,
)
from orchestration.database.numbering import Numbering, number_events
from orchestration.database.renumbering import renumbered
from orchestration.database.source import Report, Row, SqliteFiles, count_rows, read_rows, survey

_BATCH = 1000
#: Whose rows mean nothing elsewhere: daemons of the old stack, held slots, what was built there.
_LEFT_BEHIND = frozenset(
    {
        "concurrency_slots",
        "daemon_heartbeats",
        "instance_info",
        "pending_steps",
        "secondary_indexes",
    }
)


class CopyError(Exception):
    """Shown to a person as it is."""


def copy(files: SqliteFiles, target: Connection, report: Report) -> Mapping[str, int]:
    """How many rows of which table were copied. Raises CopyError.

    The caller commits, or nothing has happened.
    """
    tables = {table: file for file, table in _tables(files)}
    for table in tables:
        if _count(target, table):
            raise CopyError(f"The table {table.name} of the target is not empty.")
    index, counts = survey(files, report)
    numbering = number_events(index, counts)
    copied = {}
    for table, file in tables.items():
        rows, total = _rows(files, table, file, numbering, counts)
        copied[table.name] = _insert(target, table, rows, total, report)
        if _count(target, table) != total:
            raise CopyError(f"Not all rows of {table.name} have arrived.")
    return copied


def _tables(files: SqliteFiles) -> Iterator[tuple[Path, Table]]:
    """Those that others refer to first."""
    for file, metadata in (
        (files.runs, RunStorageSqlMetadata),
        (files.index, SqlEventLogStorageMetadata),
        (files.schedules, ScheduleStorageSqlMetadata),
    ):
        for table in metadata.sorted_tables:
            if table.name not in _LEFT_BEHIND:
                yield file, table


def _rows(
    files: SqliteFiles, table: Table, file: Path, numbering: Numbering, counts: Mapping[str, int]
) -> tuple[Iterator[Row], int]:
    """The rows as they are to be, and how many there are."""
    if table is Events:
        only_in_index = len(numbering.only_in_index)
        return _events(files, numbering), sum(counts.values()) + only_in_index
    rows = (renumbered(table.name, row, numbering) for row in read_rows(file, table))
    return rows, count_rows(file, table)


def _events(files: SqliteFiles, numbering: Numbering) -> Iterator[Row]:
    for run_id, file in files.logs().items():
        for new_id, row in zip(numbering.of_run(run_id), read_rows(file, Events), strict=True):
            yield row | {"id": new_id}
    for row in read_rows(files.index, Events):
        if row["id"] in numbering.only_in_index:
            yield row | {"id": numbering.of_index[row["id"]]}


def _insert(
    target: Connection, table: Table, rows: Iterable[Row], total: int, report: Report
) -> int:
    remaining = iter(rows)
    copied = 0
    while batch := list(islice(remaining, _BATCH)):
        target.execute(insert(table), batch)
        copied += len(batch)
        report(table.name, copied, total)
    _go_on_counting(target, table)
    return copied


def _go_on_counting(target: Connection, table: Table) -> None:
    """The next id that the server gives comes after those that were given here."""
    highest = target.scalar(select(func.max(table.c.id))) or 0
    target.execute(
        text("SELECT setval(pg_get_serial_sequence(:table, 'id'), :next, false)"),
        {"table": table.name, "next": highest + 1},
    )


def _count(target: Connection, table: Table) -> int:
    return target.scalar(select(func.count()).select_from(table)) or 0
