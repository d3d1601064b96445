"""A pipeline's table as Dagster shows it: typed columns, explained, and at most a few rows."""

from collections.abc import Mapping, Sequence

from dagster import MetadataValue, TableColumn, TableMetadataValue, TableRecord, TableSchema

Row = Mapping[str, str | int | float]

#: Rows are stored in the event log; all of them are in the results.
MOST_ROWS = 24


def table_metadata(rows: Sequence[Row], columns: Mapping[str, str]) -> TableMetadataValue:
    """The first rows, at least one. `columns` says what a column holds, with its unit."""
    return MetadataValue.table(
        records=[TableRecord(dict(row)) for row in rows[:MOST_ROWS]],
        schema=TableSchema(
            columns=[
                TableColumn(name, type=_type_name(value), description=columns.get(name))
                for name, value in rows[0].items()
            ]
        ),
    )


def _type_name(value: str | float) -> str:
    return "text" if isinstance(value, str) else type(value).__name__
