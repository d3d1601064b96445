"""The type of every text column of Dagster's: what is written is clean, and so is what is read.

All text that a run ever says (events, tags, config, the news of a sensor) is written here, whoever
writes it. Dagster escapes what UTF-8 lacks when it stores an event, and the webserver then fails on
every answer that holds the event; so rows that were written before are cleaned when they are read.
"""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Column, Dialect, Text, TypeDecorator

from contracts.text import clean_json
from orchestration.dagster_internals.tables import (
    RunStorageSqlMetadata,
    ScheduleStorageSqlMetadata,
    SqlEventLogStorageMetadata,
)

_DAGSTER = (RunStorageSqlMetadata, SqlEventLogStorageMetadata, ScheduleStorageSqlMetadata)


class StoredText(TypeDecorator[str]):
    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:  # noqa: ARG002 - SQLAlchemy's signature
        return clean_json(value) if isinstance(value, str) else value

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:  # noqa: ARG002 - SQLAlchemy's signature
        return clean_json(value) if isinstance(value, str) else value


def clean_what_is_stored() -> None:
    """From now on, in this process; before the first statement is made."""
    for column in _columns():
        if isinstance(column.type, Text):
            column.type = StoredText()


def _columns() -> Iterable[Column[Any]]:
    return (
        column
        for metadata in _DAGSTER
        for table in metadata.tables.values()
        for column in table.columns
    )
