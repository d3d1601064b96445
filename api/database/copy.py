"""The adapter's own tables, copied from one database into another."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Table, delete, func, insert, select
from sqlalchemy.orm import Session

from api.database import database

_TABLES = database.Table.metadata.sorted_tables


class TargetNotEmptyError(Exception):
    """The target holds rows of the table of this name."""


def copy_tables(source: Session, target: Session) -> Sequence[str]:
    """Which tables were empty before; an earlier copy may have left others as they are to be.

    Raises TargetNotEmptyError.
    """
    return [table.name for table in _TABLES if _copy_table(table, source, target)]


def empty_tables(target: Session, names: Sequence[str]) -> None:
    """Takes a copy back."""
    for table in reversed(_TABLES):
        if table.name in names:
            target.execute(delete(table))


def count_rows(session: Session) -> Mapping[str, int]:
    """Of each table."""
    return {table.name: _count(table, session) for table in _TABLES}


def _copy_table(table: Table, source: Session, target: Session) -> bool:
    """Whether it was empty before."""
    rows, there = _rows(table, source), _rows(table, target)
    if there:
        if there != rows:
            raise TargetNotEmptyError(table.name)
        return False
    if rows:
        target.execute(insert(table), rows)
    return True


def _rows(table: Table, session: Session) -> list[dict[str, Any]]:
    """In the order of their keys, as Python has it: databases order text in ways of their own."""
    rows = [dict(row) for row in session.execute(select(table)).mappings()]
    return sorted(rows, key=lambda row: [row[column.name] for column in table.primary_key])


def _count(table: Table, session: Session) -> int:
    return session.scalar(select(func.count()).select_from(table)) or 0
