"""ISO 8601 in UTC with `Z`, the one form of time in every answer."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import WithJsonSchema

#: A field of an answer that holds one.
Timestamp = Annotated[str, WithJsonSchema({"type": "string", "format": "date-time"})]


def now() -> str:
    return _format(datetime.now(UTC))


def from_epoch(seconds: float | None) -> str | None:
    return None if seconds is None else _format(datetime.fromtimestamp(seconds, UTC))


def is_timestamp(text: str) -> bool:
    """Whether somebody has written it in a form that can be read."""
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


def from_datetime(moment: datetime) -> str:
    """A datetime without a zone is taken as UTC, as the database stores it."""
    return _format(moment if moment.tzinfo else moment.replace(tzinfo=UTC))


def _format(moment: datetime) -> str:
    text = moment.astimezone(UTC).isoformat(timespec="milliseconds")
    return text.removesuffix("+00:00") + "Z"
