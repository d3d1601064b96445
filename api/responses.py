"""The answers of the routes, for `/openapi.json`: every error is the envelope, and which headers
come with what.
"""

from itertools import groupby
from typing import Any

from pydantic import BaseModel, Field
from pydantic.json_schema import SkipJsonSchema

from api.errors import (
    DatabaseUnavailableError,
    ForbiddenError,
    FramegateError,
    InternalServerError,
    InvalidRequestError,
    OrchestratorUnavailableError,
    PayloadTooLargeError,
    RateLimitedError,
    UnauthorizedError,
    UnsupportedMediaError,
)
from api.timestamps import Timestamp

#: Where an answer lists the codes that its envelope may have; /openapi.json has them by operation.
CODES = "x-error-codes"

Responses = dict[int | str, dict[str, Any]]

#: Of a route that asks for a key,
KEYED = (
    InvalidRequestError,
    UnauthorizedError,
    ForbiddenError,
    RateLimitedError,
    InternalServerError,
    DatabaseUnavailableError,
)
#: of one that asks Dagster as well,
ASKING_DAGSTER = (*KEYED, OrchestratorUnavailableError)
#: and what a route adds that reads a body.
WITH_BODY = (InvalidRequestError, PayloadTooLargeError, UnsupportedMediaError)

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
    429: "Too many failed attempts to authenticate from this address, or too much at once",
    500: "Something went wrong inside",
    503: "Dagster, or the database, cannot be reached",
    507: "The disk or every GPU is too small for it",
}


_RETRY_AFTER = "Seconds after which to try again."


def header(description: str, *, required: bool = True) -> dict[str, Any]:
    """For `headers` in a route's `responses=`."""
    return {"description": description, "required": required, "schema": {"type": "string"}}


_HEADERS = {
    401: {"WWW-Authenticate": header("How to authenticate.")},
    416: {"Content-Range": header("How long the file is.")},
    429: {"Retry-After": header(_RETRY_AFTER)},
    503: {"Retry-After": header(_RETRY_AFTER)},
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
    timestamp: Timestamp


class ErrorEnvelope(BaseModel):
    """The body of every 4xx and 5xx; the top-level `detail` is the message again."""

    error: Error
    detail: str


def errors(*kinds: type[FramegateError]) -> Responses:
    """For a route's `responses=`: it answers with the envelope, and these codes."""
    by_status = groupby(sorted(kinds, key=_status), key=_status)
    return {status: _error(status, {kind.code for kind in same}) for status, same in by_status}


def _status(kind: type[FramegateError]) -> int:
    return kind.status


def _error(status: int, codes: set[str]) -> dict[str, Any]:
    return {
        "model": ErrorEnvelope,
        "description": _DESCRIPTIONS[status],
        "headers": _HEADERS.get(status, {}),
        CODES: sorted(codes),
    }
