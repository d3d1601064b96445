"""The error answers of the routes, for `/openapi.json`: every one of them is the envelope."""

from typing import Any

from pydantic import BaseModel, Field
from pydantic.json_schema import SkipJsonSchema

from api.errors import FramegateError

_DESCRIPTIONS = {
    400: "The body or a parameter is not what the route takes",
    401: "No key, or one that is not valid",
    403: "The key may not do this",
    404: "There is no such thing",
    409: "Not in the state that it is in now",
    413: "The body is larger than allowed",
    415: "The content type is not one that the route takes",
    416: "The range lies outside of the file",
    422: "The idempotency key came with another body before",
    429: "Too many failed attempts to authenticate from this address",
    500: "Something went wrong inside",
    503: "Dagster, or the database, cannot be reached",
    507: "The disk or every GPU is too small for it",
}


def _codes(error: type[FramegateError] = FramegateError) -> list[str]:
    inner = {code for one in error.__subclasses__() for code in _codes(one)}
    own = {error.code} if hasattr(error, "code") else set()
    return sorted(own | inner)


class Error(BaseModel):
    code: str = Field(json_schema_extra={"enum": [*_codes()]})
    message: str
    detail: dict[str, Any] | SkipJsonSchema[None] = None
    hint: str | SkipJsonSchema[None] = None
    field: str | SkipJsonSchema[None] = None
    timestamp: str = Field(json_schema_extra={"format": "date-time"})


class ErrorEnvelope(BaseModel):
    """The body of every 4xx and 5xx; the top-level `detail` is the message again."""

    error: Error
    detail: str


def errors(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """For a route's `responses=`: it answers with the envelope and these statuses."""
    return {
        status: {"model": ErrorEnvelope, "description": _DESCRIPTIONS[status]}
        for status in statuses
    }
