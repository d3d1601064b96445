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
from contracts.timestamps import Timestamp

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


def header(*, required: bool = True) -> dict[str, Any]:
    """For `headers` in a route's `responses=`."""
    return {"required": required, "schema": {"type": "string"}}


_HEADERS = {
    401: {"WWW-Authenticate": header()},
    416: {"Content-Range": header()},
    429: {"Retry-After": header()},
    503: {"Retry-After": header()},
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
        "headers": _HEADERS.get(status, {}),
        CODES: sorted(codes),
    }
