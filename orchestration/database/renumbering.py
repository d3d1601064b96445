"""Rows that refer to events by id, with the ids that those have in the copy."""

from collections.abc import Callable

from dagster import EventLogRecord, deserialize_value, serialize_value

from orchestration.dagster_internals.sensor_state import InstigatorState, RunStatusSensorCursor
from orchestration.database.numbering import Numbering
from orchestration.database.source import Row
from orchestration.webhooks import job_ends


def renumbered(table: str, row: Row, numbering: Numbering) -> Row:
    """The row as it is to be in the copy of its table."""
    change = _CHANGES.get(table)
    return change(row, numbering) if change else row


def _asset_event_tag(row: Row, numbering: Numbering) -> Row:
    return row | {"event_id": numbering.of_index.get(row["event_id"])}


def _asset_key(row: Row, numbering: Numbering) -> Row:
    """What Dagster keeps as a cache of it is left for it to make anew."""
    return row | {
        "last_materialization": _event_record(row["last_materialization"], numbering),
        "cached_status_data": None,
    }


def _event_record(serialized: str | None, numbering: Numbering) -> str | None:
    if not serialized:
        return serialized
    record = deserialize_value(serialized)
    if not isinstance(record, EventLogRecord):
        return serialized
    new_id = numbering.of_index.get(record.storage_id, record.storage_id)
    return serialize_value(record._replace(storage_id=new_id))


def _asset_check(row: Row, numbering: Numbering) -> Row:
    columns = ("evaluation_event_storage_id", "materialization_event_storage_id")
    return row | {column: numbering.of_index.get(row[column]) for column in columns}


def _instigator(row: Row, numbering: Numbering) -> Row:
    return row | {"instigator_body": _state(row["instigator_body"], numbering)}


def _job(row: Row, numbering: Numbering) -> Row:
    return row | {"job_body": _state(row["job_body"], numbering)}


def _state(serialized: str, numbering: Numbering) -> str:
    """A sensor that waits for runs to end goes on after the same event; other cursors are kept."""
    state = deserialize_value(serialized, InstigatorState)
    data = state.sensor_instigator_data
    if not (data and data.cursor):
        return serialized
    cursor = _cursor(state.instigator_name, data.cursor, numbering)
    return serialize_value(state.with_data(data._replace(cursor=cursor)))


def _cursor(sensor: str, cursor: str, numbering: Numbering) -> str:
    if sensor == job_ends.SENSOR:
        return job_ends.Cursor.read(cursor).moved(numbering.after).write()
    if not RunStatusSensorCursor.is_valid(cursor):
        return cursor
    old = RunStatusSensorCursor.from_json(cursor)
    record_id = numbering.after(old.record_id)
    return old._replace(record_id=record_id, update_timestamp=None).to_json()


_CHANGES: dict[str, Callable[[Row, Numbering], Row]] = {
    "asset_event_tags": _asset_event_tag,
    "asset_keys": _asset_key,
    "asset_check_executions": _asset_check,
    "instigators": _instigator,
    "jobs": _job,
}
