"""The adapter's own tables, copied from one database into another."""

from collections.abc import Mapping

from sqlalchemy import Table, func, insert, select
from sqlalchemy.orm import Session

from api import database


class TargetNotEmptyError(Exception):
    """The target holds rows of the table of this name."""


def copy_tables(source: Session, target: Session) -> Mapping[str, int]:
    """How many rows of which table. Raises TargetNotEmptyError."""
    tables = database.Table.metadata.sorted_tables
    return {table.name: _copy_table(table, source, target) for table in tables}


def count_rows(session: Session) -> Mapping[str, int]:
    """Of each table."""
    return {table.name: _count(table, session) for table in database.Table.metadata.sorted_tables}


def _copy_table(table: Table, source: Session, target: Session) -> int:
    if _count(table, target):
        raise TargetNotEmptyError(table.name)
    rows = [dict(row) for row in source.execute(select(table)).mappings()]
    if rows:
        target.execute(insert(table), rows)
    return len(rows)


def _count(table: Table, session: Session) -> int:
    return session.scalar(select(func.count()).select_from(table)) or 0
