"""Serves the build of a web viewer under its prefix, to people who are signed in.

The viewer is a single-page application, built for this prefix: an address in it that is no file of
the build is a page, and every page is `index.html`. It uses the REST API with a key that it reads
from the browser's storage, and sends no cookies; `/viewer-connect` puts the key there.
"""

import base64
import hashlib
import re
from pathlib import Path, PurePosixPath

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, RedirectResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

from api.auth.links import CONNECT_PATH
from api.dependencies import Services
from api.door.cookie import set_session_cookie
from api.door.visitor import identify
from api.errors import MethodNotAllowedError, NotFoundError, UnauthorizedError

VIEWER_PREFIX = "/viewer"
INDEX = "index.html"

#: Scripts come from the build. Styles are made by scripts as well; videos, pictures and workers
#: are made of what was downloaded.
_POLICY = (
    "default-src 'none'; script-src 'self'{hashes}; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; media-src 'self' blob:; font-src 'self' data:; "
    "connect-src 'self' blob: data:; worker-src 'self' blob:; manifest-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
_INLINE_SCRIPT = re.compile(r"<script(?![^>]*\ssrc=)[^>]*>(.*?)</script>", re.DOTALL)


class Viewer:
    """An ASGI application, mounted at the prefix."""

    def __init__(self, services: Services, folder: Path) -> None:
        self._services = services
        self._index = folder / INDEX
        self._files = StaticFiles(directory=folder)  # no link in it leads out of the folder
        self._headers = {
            "Content-Security-Policy": policy_of(self._index.read_text()),
            "Cache-Control": "no-cache",
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        response = await self._answer(request)
        response.headers.update(self._headers)
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        """Raises MethodNotAllowedError, NotFoundError, RateLimitedError."""
        if request.method not in ("GET", "HEAD"):
            raise MethodNotAllowedError("This method is not allowed here.")
        path = str(request.scope["path"]).removeprefix(VIEWER_PREFIX).strip("/")
        if path and path != INDEX:
            try:
                return await self._files.get_response(path, request.scope)
            except HTTPException as error:
                if PurePosixPath(path).suffix:
                    raise NotFoundError("The viewer has no such file.") from error
        return await self._page(request)

    async def _page(self, request: Request) -> Response:
        try:
            visitor = await identify(self._services, request)
        except UnauthorizedError:
            return RedirectResponse(CONNECT_PATH, status_code=303)
        response = FileResponse(self._index)
        if visitor.renewed:
            set_session_cookie(
                response,
                visitor.renewed,
                port=self._services.settings.port,
                secure=request.url.scheme == "https",
            )
        return response


def policy_of(page: str) -> str:
    """The Content-Security-Policy of a build: of inline scripts, those of its page may run."""
    digests = (hashlib.sha256(text.encode()).digest() for text in _INLINE_SCRIPT.findall(page))
    hashes = "".join(f" 'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)
    return _POLICY.format(hashes=hashes)
