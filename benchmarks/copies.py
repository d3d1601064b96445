"""A long past in PostgreSQL: copies of a real, finished run with all of its events and tags.

The server makes them itself: a hundred thousand runs with their events are millions of rows.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Engine,
    Select,
    Table,
    and_,
    column,
    func,
    insert,
    literal,
    select,
    table,
    text,
)

from orchestration.dagster_internals.tables import Events, RunsTable, RunTagsTable
from orchestration.dagster_internals.testing import AssetEventTagsTable, DynamicPartitionsTable

#: Of each copy: the id of its run, and the hash of the media that it is of.
_COPIES = table("copies", column("run_id"), column("media"))
_ID = "id"


def copy_run(engine: Engine, run_id: str, media: str, count: int) -> None:
    """Each copy is another run of another media."""
    originals = {"run_id": run_id, "media": media}
    with engine.begin() as connection:
        _name_copies(connection, count)
        for rows in (RunsTable, RunTagsTable, Events):
            _copy(connection, rows, rows.c.run_id == run_id, originals)
        _copy(
            connection,
            DynamicPartitionsTable,
            DynamicPartitionsTable.c.partition == media,
            originals,
        )
        _copy_asset_tags(connection, run_id)
        _spread_over_time(connection)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))


def _spread_over_time(connection: Connection) -> None:
    """Over a hundred days, as they would have come; otherwise all would have ended just now."""
    connection.execute(
        text(
            "UPDATE runs SET create_timestamp = create_timestamp - age * interval '1 second', "
            "update_timestamp = update_timestamp - age * interval '1 second', "
            "start_time = start_time - age, end_time = end_time - age "
            "FROM (SELECT run_id, 7200 + 8640000 * random() AS age FROM copies) AS ages "
            "WHERE runs.run_id = ages.run_id"
        )
    )


def _name_copies(connection: Connection, count: int) -> None:
    connection.execute(
        text(
            "CREATE TEMPORARY TABLE copies ON COMMIT DROP AS "
            "SELECT id AS run_id, encode(sha256(id::bytea), 'hex') AS media "
            "FROM (SELECT gen_random_uuid()::text AS id FROM generate_series(1, :count)) AS ids"
        ),
        {"count": count},
    )


def _copy(
    connection: Connection,
    rows: Table,
    chosen: ColumnElement[bool],
    originals: Mapping[str, str],
) -> None:
    """The chosen rows once for each copy, with the copy's names in place of the original's."""
    columns = [each for each in rows.columns if each.name != _ID]
    values = [_renamed(each, originals) for each in columns]
    copied: Select[Any] = select(*values).select_from(rows.join(_COPIES, literal(value=True)))
    names = [each.name for each in columns]
    connection.execute(insert(rows).from_select(names, copied.where(chosen)))


def _renamed(value: Column[Any], originals: Mapping[str, str]) -> ColumnElement[Any]:
    if value.type.python_type is not str:
        return value
    renamed: ColumnElement[Any] = value
    for name, original in originals.items():
        renamed = func.replace(renamed, original, _COPIES.c[name])
    return renamed


def _copy_asset_tags(connection: Connection, run_id: str) -> None:
    """These name the event that they are of by its row."""
    tags, original, copied = (
        AssetEventTagsTable,
        Events.alias("original"),
        Events.alias("copied"),
    )
    same_event = and_(
        copied.c.asset_key == original.c.asset_key,
        copied.c.dagster_event_type == original.c.dagster_event_type,
        copied.c.run_id.in_(select(_COPIES.c.run_id)),
    )
    found = (
        select(copied.c.id, tags.c.asset_key, tags.c.key, tags.c.value, tags.c.event_timestamp)
        .select_from(tags.join(original, original.c.id == tags.c.event_id).join(copied, same_event))
        .where(original.c.run_id == run_id)
    )
    names = ["event_id", "asset_key", "key", "value", "event_timestamp"]
    connection.execute(insert(tags).from_select(names, found))
