"""What surrounds every request: its id, its path without a trailing slash, the headers on the
answer, the line in the log, and the answer to a crash. Plain ASGI: it costs next to nothing.
"""

import logging
import re
import time
from secrets import token_hex

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.auth.origin import OriginRules
from api.errors import FramegateError, InternalServerError, InvalidRequestError, render
from api.http.handlers import from_http_exception
from api.metrics.requests import RequestMetrics
from contracts.door import DAGSTER_PREFIX
from contracts.logs import log_context

access_log = logging.getLogger("framegate.access")
error_log = logging.getLogger("framegate.error")

_REQUEST_ID = re.compile(r"[A-Za-z0-9._\-]{1,64}")
_CRASHED = InternalServerError(
    "Something went wrong inside Framegate.",
    hint="Ask your administrator to look up the request id in the log.",
)
#: RFC 9110, 9.2.1: they change nothing.
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
#: Pages for people, whose errors are pages.
_PAGES = frozenset({"/sign-in", "/sign-out"})
#: What an error of a library's own says beyond its text.
_KEPT_HEADERS = ("allow", "content-range", "retry-after")
#: As ASGI has them, names in lower case: they are put on every answer that has none of its own.
_SECURITY_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-site"),
)
#: Of whatever does not say what it loads: it loads nothing. The Dagster UI has a policy of its own.
_PAGE_HEADERS = (
    *_SECURITY_HEADERS,
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"cache-control", b"no-store"),
)


class RequestMiddleware:
    """Outermost. Puts `request_id` into the scope's state, and on every line of the log."""

    def __init__(self, app: ASGIApp, metrics: RequestMetrics) -> None:
        self.app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request_id = _request_id(scope)
        scope.setdefault("state", {})["request_id"] = request_id
        path = scope["path"]
        scope["path"] = _without_trailing_slash(path)
        status = 0
        started = time.perf_counter()
        answered = 0.0

        async def send_with_headers(message: Message) -> None:
            nonlocal status, answered
            if message["type"] == "http.response.start":
                status, answered = message["status"], time.perf_counter()
                _add_headers(message, request_id, scope["path"])
            await send(message)

        with log_context(request_id=request_id):
            try:
                await self.app(scope, receive, send_with_headers)
            finally:
                ended = time.perf_counter()
                self._metrics.observe(scope, status, (answered or ended) - started)
                _log_access(scope, path, status, ended - started)


class OriginMiddleware:
    """Refuses what a page from another address may have caused, of all that changes something."""

    def __init__(self, app: ASGIApp, rules: OriginRules) -> None:
        self.app = app
        self._rules = rules

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] not in _SAFE_METHODS:
            try:
                self._rules.check_caller(Headers(scope=scope), scope["scheme"])
            except FramegateError as error:
                await render(error, scope["state"]["request_id"])(scope, receive, send)
                return
        await self.app(scope, receive, send)


class EnvelopeMiddleware:
    """Innermost: what a handler raised and nobody expected becomes a 500 with an envelope, and
    so does every error that a library answers in its own words.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request_id = scope["state"]["request_id"]
        replaced: FramegateError | None = None
        started = False

        async def watch(message: Message) -> None:
            nonlocal started, replaced
            if message["type"] == "http.response.start":
                replaced = _foreign_error(message, scope["path"])
                started = replaced is None
            if replaced is None:
                await send(message)

        try:
            await self.app(scope, receive, watch)
        except Exception:
            error_log.exception("request %s crashed", request_id)
            if started:  # too late for an answer: let the server cut the connection
                raise
            replaced = _CRASHED
        if replaced is not None:
            await render(replaced, request_id)(scope, receive, send)


def _foreign_error(start: Message, path: str) -> FramegateError | None:
    """Ours are JSON; anything else with an error's status was not made by `render`."""
    if start["status"] < InvalidRequestError.status or path in _PAGES:
        return None
    headers = Headers(raw=start["headers"])
    if headers.get("content-type", "").startswith("application/json"):
        return None
    kept = {name: headers[name] for name in _KEPT_HEADERS if name in headers}
    return from_http_exception(HTTPException(start["status"], headers=kept), path)


def _log_access(scope: Scope, path: str, status: int, seconds: float) -> None:
    """The query string is left out: it may hold a key (`?token=`)."""
    access_log.info(
        "answered" if status else "aborted",
        extra={
            "client": scope["client"][0] if scope.get("client") else "-",
            "method": scope["method"],
            "path": path.encode("unicode_escape").decode(),
            "status": status,
            "duration_seconds": round(seconds, 6),
        },
    )


def _request_id(scope: Scope) -> str:
    """The client's own id where it is harmless, else a new one."""
    for name, value in scope["headers"]:
        if name == b"x-request-id":
            given = value.decode("latin-1")
            return given if _REQUEST_ID.fullmatch(given) else token_hex(8)
    return token_hex(8)


def _without_trailing_slash(path: str) -> str:
    return path[:-1] if path.endswith("/") and len(path) > 1 else path


def _add_headers(start: Message, request_id: str, path: str) -> None:
    added = _SECURITY_HEADERS if path.startswith(DAGSTER_PREFIX) else _PAGE_HEADERS
    own = {name for name, _value in start["headers"]}
    start["headers"] = [
        *start["headers"],
        *(header for header in added if header[0] not in own),
        (b"x-request-id", request_id.encode()),
    ]
