"""The app with everything real but Dagster, whose GraphQL is answered from memory."""

import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import av
import httpx
import numpy as np
import pytest
import uvicorn
from fastapi import FastAPI
from graphql import GraphQLSchema

from api.app import create_app, create_services
from api.auth.keys import create_key
from api.auth.roles import Role
from api.dagster.transport import GraphqlTransport
from api.dependencies import Services
from api.settings import Settings
from tests.api.fake_dagster import FakeDagster, dagster_schema


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A real MP4 of half a second."""
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    with av.open(path, "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height = 64, 48
        for shade in range(5):
            picture = np.full((48, 64, 3), 50 * shade, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    return path.read_bytes()


@pytest.fixture(scope="session")
def schema() -> GraphQLSchema:
    return dagster_schema()


@pytest.fixture
def dagster(schema: GraphQLSchema) -> FakeDagster:
    return FakeDagster(schema)


@pytest.fixture
def settings(tmp_path: Path, chosen_database_url: str) -> Settings:
    roots = tmp_path / "roots"
    roots.mkdir()
    return Settings(
        home=tmp_path / "home",
        media_roots=(roots,),
        cancel_timeout=2.0,
        allowed_hosts=("framegate",),
        database_url=chosen_database_url,
    )


@pytest.fixture
def services(settings: Settings, dagster: FakeDagster) -> Services:
    transport = GraphqlTransport(
        "http://dagster", timeout=60.0, transport=httpx.MockTransport(dagster.handle)
    )
    return create_services(settings, transport=transport)


@pytest.fixture
def app(services: Services) -> FastAPI:
    return create_app(services=services)


@pytest.fixture
async def running(app: FastAPI) -> AsyncIterator[FastAPI]:
    async with app.router.lifespan_context(app):
        yield app


@pytest.fixture
def secret_of(services: Services) -> Callable[..., str]:
    """Makes a key of a role (and a name) and gives its secret."""

    def make(role: str, name: str | None = None) -> str:
        services.database.migrate()
        return create_key(services.database, role=Role(role), name=name or role)[1]

    return make


@pytest.fixture
def client_of(running: FastAPI, secret_of: Callable[..., str]) -> Callable[..., httpx.AsyncClient]:
    """A client with a key of its own."""

    def make(role: str, name: str | None = None) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(running),
            base_url="http://framegate",
            headers={"X-API-Key": secret_of(role, name)},
        )

    return make


@pytest.fixture
def admin(client_of: Callable[..., httpx.AsyncClient]) -> httpx.AsyncClient:
    return client_of("admin")


@pytest.fixture
def stranger(running: FastAPI) -> httpx.AsyncClient:
    """A client without a key."""
    return httpx.AsyncClient(transport=httpx.ASGITransport(running), base_url="http://framegate")


@pytest.fixture
def serve(app: FastAPI) -> Iterator[Callable[[], int]]:
    """Serves the app on a real socket, for what only a socket can do; gives the port."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, access_log=False))
    thread = threading.Thread(target=server.run)

    def start() -> int:
        thread.start()
        while not server.started:
            time.sleep(0.01)
        return int(server.servers[0].sockets[0].getsockname()[1])

    yield start
    if thread.is_alive():
        server.should_exit = True
        thread.join()
