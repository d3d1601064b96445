"""A request's JSON body, read under a size limit and parsed strictly.

FastAPI's own parsing would take NaN, duplicate keys and any depth, and would read a body of any
size first.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from starlette.requests import Request

from api.errors import InvalidRequestError, PayloadTooLargeError, UnsupportedMediaError
from api.http.heavy_work import HeavyWork
from contracts.strict_json import StrictJsonError, parse_json

T = TypeVar("T")

#: Beyond this, judging the worst that can be posted holds up the event loop for more than some
#: ten milliseconds.
_LARGE = 16 * 1024


async def read_json(request: Request, limit: int) -> tuple[Any, int]:
    """The value and the length of its text in bytes.

    Raises UnsupportedMediaError, PayloadTooLargeError, InvalidRequestError, RateLimitedError.
    """
    _check_content_type(request)
    body = await read_body(request, limit)
    return await off_event_loop(request, lambda: _parse(body), len(body)), len(body)


async def off_event_loop(request: Request, work: Callable[[], T], length: int) -> T:
    """Does what takes as long as a body is large: of a large one in a thread, so that others are
    served meanwhile, and at the cost of whoever sent it. Raises RateLimitedError.
    """
    if length <= _LARGE:
        return work()
    heavy_work: HeavyWork = request.app.state.services.heavy_work
    return await heavy_work.do(work, request.state.owner)


async def read_body(request: Request, limit: int) -> bytes:
    """The whole body, without ever holding more than `limit`. Raises PayloadTooLargeError."""
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > limit:
        raise _too_large(limit)
    chunks: list[bytes] = []
    length = 0
    async for chunk in request.stream():
        length += len(chunk)
        if length > limit:
            raise _too_large(limit)
        chunks.append(chunk)
    return b"".join(chunks)


def require_object(value: Any) -> dict[str, Any]:
    """Raises InvalidRequestError."""
    if not isinstance(value, dict):
        raise InvalidRequestError("The body must be a JSON object.")
    return value


def require_field(body: dict[str, Any], name: str) -> Any:
    """Raises InvalidRequestError."""
    if name not in body:
        raise InvalidRequestError(f"The body needs the field '{name}'.", field=name)
    return body[name]


def _check_content_type(request: Request) -> None:
    given = request.headers.get("content-type", "")
    media_type = given.partition(";")[0].strip().lower()
    if media_type in {"", "application/json"} or media_type.endswith("+json"):
        return
    raise UnsupportedMediaError(
        f"This takes application/json, not {media_type[:100]}.",
        hint="Send `Content-Type: application/json`.",
    )


def _parse(body: bytes) -> Any:
    try:
        return parse_json(body)
    except StrictJsonError as error:
        raise InvalidRequestError(str(error)) from error


def _too_large(limit: int) -> PayloadTooLargeError:
    return PayloadTooLargeError(f"The body is larger than {limit} bytes.")
