"""The real door in front of an upstream on a real Unix socket, which tells what reached it."""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import httpx
import pytest
import uvicorn
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from api.__main__ import server_config
from api.settings import Settings
from contracts.home import Home
from orchestration.webserver import listen


@dataclass(frozen=True)
class Reached:
    """A request as it came over the socket; of a WebSocket, its handshake."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes = b""


@dataclass
class Upstream:
    """Takes everything, as Dagster's webserver would that had no door."""

    reached: list[Reached] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)

    def app(self) -> Starlette:
        async def answer(request: Request) -> Response:
            self._note(request.method, request, await request.body())
            return JSONResponse({"data": {}}, headers={"set-cookie": "theirs=1"})

        async def talk(socket: WebSocket) -> None:
            self._note("WEBSOCKET", socket, b"")
            offered = socket.scope["subprotocols"]
            await socket.accept(subprotocol=offered[0] if offered else None)
            async for text in socket.iter_text():
                self.messages.append(text)
                await socket.send_text(text)

        methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
        return Starlette(
            routes=[
                WebSocketRoute("/{path:path}", talk),
                Route("/{path:path}", answer, methods=methods),
            ]
        )

    def _note(self, method: str, request: Request | WebSocket, body: bytes) -> None:
        path, query = request.url.path, request.url.query
        self.reached.append(Reached(method, path, query, dict(request.headers), body))


@pytest.fixture
def upstream(settings: Settings) -> Iterator[Upstream]:
    upstream = Upstream()
    home = Home(settings.home)
    home.run.mkdir(parents=True, mode=0o700)
    server = uvicorn.Server(uvicorn.Config(upstream.app(), log_config=None, access_log=False))
    listener = listen(home.webserver_socket)
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()
    yield upstream
    server.should_exit = True
    thread.join()
    listener.close()


@pytest.fixture
def served(app: FastAPI, settings: Settings) -> Iterator[str]:
    """Where the app is served as the stack serves it, for what only a socket can do."""
    server = uvicorn.Server(server_config(app, settings.model_copy(update={"port": 0})))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join()


@pytest.fixture
def browser(stranger: httpx.AsyncClient, secret_of: Callable[..., str]) -> Callable[[str], object]:
    """Signs in with a new key of the role, as a browser on the API's own page does."""

    async def sign_in(role: str) -> httpx.AsyncClient:
        answer = await stranger.post("/sign-in", data={"key": secret_of(role)})
        assert answer.status_code == 303
        return stranger

    return sign_in
