"""Where every error becomes an answer: ours, the framework's, and those of routing."""

from collections.abc import Mapping
from typing import Any

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from api.errors import (
    FramegateError,
    InternalServerError,
    InvalidRequestError,
    MethodNotAllowedError,
    NotFoundError,
    PayloadTooLargeError,
    UnsupportedMediaError,
    render,
)

_MAX_SHOWN_ERRORS = 50


async def answer_error(request: Request, error: Exception) -> Response:
    if not isinstance(error, FramegateError):
        raise error
    return render(error, request.state.request_id)


async def answer_http_exception(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    return render(_from_http_exception(request, error), request.state.request_id)


async def answer_validation_error(request: Request, error: Exception) -> Response:
    if not isinstance(error, RequestValidationError):
        raise error
    return render(_from_validation_error(error), request.state.request_id)


def _from_http_exception(request: Request, error: HTTPException) -> FramegateError:
    headers: Mapping[str, str] = error.headers or {}
    match error.status_code:
        case 404:
            return NotFoundError(
                f"There is nothing at {request.url.path[:200]!r}.",
                hint="/docs lists all addresses.",
            )
        case 405:
            return MethodNotAllowedError(
                f"{request.method[:20]} is not allowed here.", headers=headers
            )
        case 413:
            return PayloadTooLargeError("The request's body is too large.")
        case 415:
            return UnsupportedMediaError(str(error.detail))
        case status if status >= InternalServerError.status:
            return InternalServerError(str(error.detail))
        case _:
            return InvalidRequestError(str(error.detail), headers=headers)


def _from_validation_error(error: RequestValidationError) -> InvalidRequestError:
    """FastAPI's own 422 becomes a 400 that names the first field, and lists all of them."""
    problems = [_problem(entry) for entry in error.errors()[:_MAX_SHOWN_ERRORS]]
    first = problems[0]
    return InvalidRequestError(
        f"{first['field']}: {first['message']}" if first["field"] else first["message"],
        field=first["field"] or None,
        detail={"errors": problems},
    )


def _problem(entry: Mapping[str, Any]) -> dict[str, str]:
    """Without the input itself, which may be anything, and huge."""
    _where, *path = entry["loc"] or ("",)
    if entry["type"] == "json_invalid":
        return {"field": "", "message": "The body is not valid JSON."}
    return {"field": ".".join(str(part) for part in path), "message": entry["msg"]}
