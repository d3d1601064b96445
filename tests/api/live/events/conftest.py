"""The app of the live tests, served on a port: streams need real HTTP."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from typing import Any

import httpx
import pytest
import uvicorn

from api.app import create_app
from api.dependencies import Services
from api.events.hub import Hub
from api.events.watcher import Watcher
from api.settings import Settings
from tests.api.live.events.stream import PATIENCE


@pytest.fixture
def quick(services_with: Callable[..., Services], settings: Settings) -> Callable[..., Services]:
    """Services that look at Dagster twenty times a second."""

    def build(**others: Any) -> Services:
        services = services_with(**others)
        watcher = Watcher(services.dagster, services.home, settings.run_url)
        return replace(services, events=Hub(watcher, 200, interval=0.05))

    return build


@pytest.fixture
def serve() -> Callable[[Services], AbstractAsyncContextManager[httpx.AsyncClient]]:
    """A client of the app, served on a port of its own."""

    @asynccontextmanager
    async def served(services: Services) -> AsyncIterator[httpx.AsyncClient]:
        app = create_app(services=services)
        config = uvicorn.Config(
            app, port=0, log_config=None, access_log=False, timeout_graceful_shutdown=1
        )
        server = uvicorn.Server(config)
        running = asyncio.create_task(server.serve())
        while not server.started:  # noqa: ASYNC110 - the server offers no event
            await asyncio.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        address = f"http://127.0.0.1:{port}"
        limits = httpx.Limits(max_connections=None)
        async with httpx.AsyncClient(base_url=address, timeout=PATIENCE, limits=limits) as client:
            yield client
        server.should_exit = True
        await running

    return served


@pytest.fixture
async def client(
    quick: Callable[..., Services],
    serve: Callable[[Services], AbstractAsyncContextManager[httpx.AsyncClient]],
) -> AsyncIterator[httpx.AsyncClient]:
    async with serve(quick()) as client:
        yield client
