"""The app over a real Dagster: its own instance and its own GraphQL, without the network."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from dagster import DagsterInstance, DagsterRun, DagsterRunStatus

from api.app import create_app, create_services
from api.dagster.transport import GraphqlTransport
from api.dependencies import Services
from api.settings import Settings
from contracts.run import KIND, KIND_TAG
from orchestration.dagster_internals.testing import DaemonHeartbeat, EmptyWorkspaceTarget
from orchestration.dagster_internals.webserver import create_app_from_workspace_process_context
from orchestration.dagster_internals.workspace import WorkspaceProcessContext
from pipelines.registry.devices import Device, Inventory, InventoryError

DatabaseOf = Callable[[Path], Mapping[str, str]]
Opened = AbstractAsyncContextManager[httpx.AsyncClient]


@dataclass
class Wire(httpx.AsyncBaseTransport):
    """What lies between the app and Dagster's webserver; it can be cut, or made slow."""

    webserver: httpx.AsyncBaseTransport
    is_cut: bool = False
    delay: float = 0.0
    questions: int = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.questions += 1
        if self.is_cut:
            raise httpx.ConnectError("the wire is cut", request=request)
        await asyncio.sleep(self.delay)
        return await self.webserver.handle_async_request(request)


@dataclass
class Gpus(Inventory):
    """An inventory of what a test says; an error is what the driver says instead."""

    found: tuple[Device, ...] = ()
    error: str | None = None

    def devices(self) -> tuple[Device, ...]:
        if self.error:
            raise InventoryError(self.error)
        return self.found

    def held(self, _uuid: str) -> dict[int, int]:
        return {}


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def shared_instance(
    tmp_path_factory: pytest.TempPathFactory, database_of: DatabaseOf
) -> Iterator[DagsterInstance]:
    folder = tmp_path_factory.mktemp("dagster")
    url = database_of(folder).get("FRAMEGATE_DATABASE_URL")
    overrides = {"storage": {"postgres": {"postgres_url": url}}} if url else None
    with DagsterInstance.local_temp(str(folder), overrides) as instance:
        yield instance


@pytest.fixture
def instance(shared_instance: DagsterInstance) -> Iterator[DagsterInstance]:
    """Dagster's own storage, empty."""
    yield shared_instance
    shared_instance.wipe()
    shared_instance.wipe_daemon_heartbeats()


@pytest.fixture
def add_run(instance: DagsterInstance) -> Callable[..., DagsterRun]:
    """Puts a run into Dagster, as if it had been launched."""

    def add(
        *,
        status: DagsterRunStatus = DagsterRunStatus.STARTED,
        job_name: str = "scene_detection",
        tags: dict[str, str] | None = None,
        run_config: dict[str, Any] | None = None,
    ) -> DagsterRun:
        return instance.add_run(
            DagsterRun(
                job_name=job_name,
                status=status,
                tags={KIND_TAG: KIND} | (tags or {}),
                run_config=run_config or {},
            )
        )

    return add


@pytest.fixture
def beat(instance: DagsterInstance) -> Callable[..., None]:
    """Lets all daemons but the `silent` have given a sign of life `age` seconds ago."""

    def beat(*, age: float = 1.0, silent: Sequence[str] = ()) -> None:
        for daemon in instance.get_required_daemon_types():
            if daemon not in silent:
                heartbeat = DaemonHeartbeat(time.time() - age, daemon, None, [])
                instance.add_daemon_heartbeat(heartbeat)

    return beat


@pytest.fixture
def wire(instance: DagsterInstance) -> Iterator[Wire]:
    with WorkspaceProcessContext(instance, EmptyWorkspaceTarget(), version="test") as context:
        webserver = create_app_from_workspace_process_context(context)
        yield Wire(httpx.ASGITransport(webserver))


@pytest.fixture
def settings(tmp_path: Path, chosen_database_url: str) -> Settings:
    """On a busy machine, what is well may take long to say so."""
    return Settings(
        home=tmp_path / "home",
        auth="off",
        database_url=chosen_database_url,
        probe_timeout=60.0,
    )


@pytest.fixture
def gpus() -> Gpus:
    return Gpus()


@pytest.fixture
def services_with(settings: Settings, wire: Wire, gpus: Gpus) -> Callable[..., Services]:
    """The services of the app; `settings` and `catalog` may be others."""

    def build(**others: Any) -> Services:
        transport = GraphqlTransport("http://dagster", timeout=60, transport=wire)
        given = {"settings": settings, "transport": transport, "inventory": gpus} | others
        return create_services(given.pop("settings"), **given)

    return build


@pytest.fixture
def open_app() -> Callable[[Services], Opened]:
    """A client of the app with these services, while the app is up."""

    @asynccontextmanager
    async def opened(services: Services) -> AsyncIterator[httpx.AsyncClient]:
        app = create_app(services=services)
        transport = httpx.ASGITransport(app)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client,
        ):
            yield client

    return opened


@pytest.fixture
async def client(
    services_with: Callable[..., Services], open_app: Callable[[Services], Opened]
) -> AsyncIterator[httpx.AsyncClient]:
    async with open_app(services_with()) as client:
        yield client
