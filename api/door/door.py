"""Serves the Dagster UI under its prefix to people who are signed in, by its Unix socket.

What is not known to be harmless is refused: of Dagster's own addresses, those that only read are
open to everybody who is signed in, and those that change something to engineers.
"""

from typing import Any
from urllib.parse import quote

import httpx
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import Receive, Scope, Send

from api.auth.audit import record
from api.dependencies import Services
from api.door.cookie import set_session_cookie
from api.door.forward import REQUEST_HEADERS, dagster_request, forward
from api.door.question import read_query_string, read_question
from api.door.static import STATIC, StaticFiles
from api.door.visitor import Visitor, identify, require_engineer
from api.door.websocket import serve_websocket
from api.errors import MethodNotAllowedError, NotFoundError, UnauthorizedError
from api.http.json_body import read_body, read_json
from contracts.door import DAGSTER_PREFIX

_GRAPHQL = "/graphql"
_REPORTS = ("/report_asset_materialization/", "/report_asset_check/", "/report_asset_observation/")
#: They read any notebook on the machine, and nothing here has one.
_CLOSED = ("/notebook", "/dagit/notebook")
#: A browser asks for a page with it, and only for a page.
_PAGE = "text/html"


class Door:
    """An ASGI application, mounted at the prefix."""

    def __init__(self, services: Services, transport: httpx.AsyncBaseTransport) -> None:
        self._services = services
        self._transport = transport
        self._static = StaticFiles()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await serve_websocket(self._services, scope, receive, send)
            return
        request = Request(scope, receive)
        response = await self._answer(request)
        await response(scope, receive, send)

    async def close(self) -> None:
        await self._transport.aclose()

    async def _answer(self, request: Request) -> Response:
        """Raises FramegateError."""
        path = dagster_path(request.scope)
        self._services.origins.check_page(request.headers, request.url.scheme)
        try:
            visitor = await identify(self._services, request)
        except UnauthorizedError:
            if request.method == "GET" and _PAGE in request.headers.get("accept", ""):
                return _to_sign_in(request)
            raise
        response = await self._forward(request, path, visitor)
        if visitor.renewed:
            set_session_cookie(
                response,
                visitor.renewed,
                port=self._services.settings.port,
                secure=request.url.scheme == "https",
            )
        return response

    async def _forward(self, request: Request, path: str, visitor: Visitor) -> Response:
        headers = _kept(request.headers) | visitor.headers()
        if request.method in ("GET", "HEAD") and path.startswith(STATIC):
            return await self._static.answer(path)
        if request.method in ("GET", "HEAD"):
            target = readable_target(path, request.url.query)
            return await forward(self._transport, dagster_request(request.method, target, headers))
        if request.method != "POST":
            raise MethodNotAllowedError("This method is not allowed here.")
        limit = self._services.settings.max_json_bytes
        if path == _GRAPHQL:
            value, _length = await read_json(request, limit)
            question = read_question(value)
            if question.changes:
                await self._let_change(request, visitor, changes=question.mutations)
            body = question.to_json()
        elif path.startswith(_REPORTS):
            await self._let_change(request, visitor, path=path)
            body = await read_body(request, limit)
        else:
            raise NotFoundError("There is nothing to post to at this address.")
        headers["content-type"] = "application/json"
        target = quote(path)
        return await forward(self._transport, dagster_request("POST", target, headers, body))

    async def _let_change(self, request: Request, visitor: Visitor, **what: Any) -> None:
        """Records what an engineer is about to change. Raises ForbiddenError for anybody else."""
        require_engineer(visitor)
        await record(self._services.home, request, visitor.principal, "ui.change", **what)


def dagster_path(scope: Scope) -> str:
    """The path below the prefix. Raises NotFoundError for one that could be read in two ways."""
    path = str(scope["path"]).removeprefix(DAGSTER_PREFIX) or "/"
    plain = path.isprintable() and "\\" not in path
    if not plain or any(part in (".", "..") for part in path.split("/")):
        raise NotFoundError("There is nothing at this address.")
    return path


def readable_target(path: str, query_string: str) -> str:
    """What a GET request asks Dagster for: GET never changes anything.

    Raises NotFoundError, InvalidRequestError, MethodNotAllowedError.
    """
    if path in _CLOSED:
        raise NotFoundError("There are no notebooks here.")
    if path != _GRAPHQL:
        return f"{quote(path)}?{query_string}" if query_string else quote(path)
    if not query_string:
        return quote(path)
    question = read_query_string(query_string)
    if question.changes:
        raise MethodNotAllowedError(
            "GET never changes anything.",
            hint="Send a mutation by POST.",
            headers={"Allow": "POST"},
        )
    return f"{quote(path)}?{question.to_query_string()}"


def _to_sign_in(request: Request) -> Response:
    wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return RedirectResponse(f"/sign-in?next={quote(wanted)}", status_code=303)


def _kept(headers: Headers) -> dict[str, str]:
    return {name: headers[name] for name in REQUEST_HEADERS if name in headers}
