"""Turns every error into an answer: our own, the framework's, and routing's."""

import shutil
from collections.abc import Mapping
from typing import Any

from anyio import to_thread
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route

from api.dependencies import Services
from api.errors import (
    FramegateError,
    InternalServerError,
    InvalidRequestError,
    MethodNotAllowedError,
    NotFoundError,
    PayloadTooLargeError,
    RangeNotSatisfiableError,
    render,
)
from api.http.fields import invalid_fields
from api.media.uploads import NO_SPACE, storage_full


async def answer_error(request: Request, error: Exception) -> Response:
    if not isinstance(error, FramegateError):
        raise error
    return render(error, request.state.request_id)


async def answer_os_error(request: Request, error: Exception) -> Response:
    """A full disk has an answer of its own, wherever it was noticed."""
    if not isinstance(error, OSError) or error.errno not in NO_SPACE:
        raise error
    services: Services = request.app.state.services
    usage = await to_thread.run_sync(shutil.disk_usage, services.home.root)
    required = services.settings.minimum_free_bytes
    return render(storage_full(required, usage.free), request.state.request_id)


async def answer_http_exception(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    answer = render(from_http_exception(error, request.url.path), request.state.request_id)
    if error.status_code == MethodNotAllowedError.status:
        answer.headers["Allow"] = ", ".join(_allowed_methods(request))
    return answer


async def answer_validation_error(request: Request, error: Exception) -> Response:
    if not isinstance(error, RequestValidationError):
        raise error
    return render(_from_validation_error(error), request.state.request_id)


def from_http_exception(error: HTTPException, path: str) -> FramegateError:
    """Of the framework's own errors, those that can happen here."""
    headers: Mapping[str, str] = error.headers or {}
    match error.status_code:
        case 404:
            return NotFoundError(
                f"There is nothing at {path[:200]!r}.", hint="/docs lists all addresses."
            )
        case 405:
            return MethodNotAllowedError("This method is not allowed here.", headers=headers)
        case 413:
            return PayloadTooLargeError("The request's body is too large.")
        case 416:
            return RangeNotSatisfiableError("The range is outside the file.", headers=headers)
        case status if status < InternalServerError.status:
            return InvalidRequestError(str(error.detail), headers=headers)
    return InternalServerError("Something went wrong inside Framegate.")


def _allowed_methods(request: Request) -> list[str]:
    """All that the address takes; the framework names those of one of its routes only."""
    routes = [route for route in request.app.routes if isinstance(route, Route)]
    refused = next(route for route in routes if route.matches(request.scope)[0] is Match.PARTIAL)
    same = (route for route in routes if route.path == refused.path)
    return sorted({method for route in same for method in route.methods or ()})


def _from_validation_error(error: RequestValidationError) -> InvalidRequestError:
    """FastAPI's own 422 becomes a 400; the input itself, which may be huge, is not repeated."""
    return invalid_fields(_problem(entry) for entry in error.errors())


def _problem(entry: Mapping[str, Any]) -> tuple[str, str]:
    _where, *path = entry["loc"] or ("",)
    if entry["type"] == "json_invalid":
        return "", "The body is not valid JSON."
    return ".".join(str(part) for part in path), entry["msg"]
