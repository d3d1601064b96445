"""Puts the app together. `uvicorn --factory api.app:create_app` serves it."""

import logging
import shutil
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version

from anyio import to_thread
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.routing import Mount, Route

from api.auth.authenticator import Authenticator
from api.auth.keys import list_keys
from api.auth.origin import OriginRules
from api.auth.sessions import Sessions
from api.auth.shares import Shares
from api.dagster.client import DagsterClient
from api.dagster.observer import Observer
from api.dagster.queue import CachedQueue
from api.dagster.socket import DAGSTER_URL, SocketTransport
from api.dagster.transport import GraphqlTransport
from api.database.database import Database
from api.dependencies import Services
from api.door.door import Door
from api.errors import FramegateError
from api.events.hub import Hub
from api.events.watcher import Watcher
from api.health.check import HealthCheck
from api.health.deadline import Deadline
from api.health.devices import CachedDevices
from api.http.handlers import (
    answer_error,
    answer_http_exception,
    answer_os_error,
    answer_validation_error,
)
from api.http.heavy_work import HeavyWork
from api.http.middleware import EnvelopeMiddleware, OriginMiddleware, RequestMiddleware
from api.http.openapi import INTRODUCTION, TAGS, DescribedApp
from api.media.probing import Prober
from api.media.store import MediaStore
from api.metrics.endings import Endings
from api.metrics.metrics import Metrics
from api.metrics.snapshot import SnapshotCollector
from api.routes import ROUTERS
from api.settings import Settings
from api.submissions.idempotency import IdempotencyRecords
from api.viewer import VIEWER_PREFIX, Viewer
from contracts.door import DAGSTER_PREFIX
from contracts.private_folder import make_private
from pipelines.registry.catalog import Catalog, load_catalog
from pipelines.registry.devices import Inventory
from pipelines.registry.spec import load_object

log = logging.getLogger("framegate")

#: What a page from elsewhere may read of an answer, beside what it may always.
_EXPOSED_HEADERS = (
    "Content-Disposition",
    "Content-Range",
    "ETag",
    "Idempotency-Replayed",
    "Location",
    "Retry-After",
    "X-Request-ID",
)


#: To Dagster's webserver: of the REST API, and of people who look at the UI.
_CONNECTIONS = 32
_UI_CONNECTIONS = 64


def create_app(settings: Settings | None = None, services: Services | None = None) -> FastAPI:
    """`services` replaces what `settings` alone would give: tests hand in another transport."""
    services = services or create_services(settings or Settings())
    app = DescribedApp(
        title="Framegate",
        version=version("framegate"),
        summary="Videos in, annotations out, on GPUs you own.",
        description=INTRODUCTION.read_text(),
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        openapi_tags=TAGS,
        servers=[{"url": "/", "description": "Where this document was found"}],
        lifespan=_lifespan,
        redirect_slashes=False,
        docs_url=None,  # both would load their scripts from elsewhere; routes/docs.py has ours
        redoc_url=None,
    )
    app.state.services = services
    for router in ROUTERS:  # one flat list: an included router is searched twice
        app.router.routes.extend(router.routes)
    door = Door(
        services, SocketTransport(services.home.webserver_socket, connections=_UI_CONNECTIONS)
    )
    app.router.routes += [Route(DAGSTER_PREFIX, door), Mount(DAGSTER_PREFIX, door)]
    app.state.door = door
    if folder := services.settings.viewer:
        viewer = Viewer(services, folder)
        app.router.routes += [Route(VIEWER_PREFIX, viewer), Mount(VIEWER_PREFIX, viewer)]
    app.add_exception_handler(FramegateError, answer_error)
    app.add_exception_handler(OSError, answer_os_error)
    app.add_exception_handler(RequestValidationError, answer_validation_error)
    app.add_exception_handler(HTTPException, answer_http_exception)
    app.add_middleware(EnvelopeMiddleware)
    if services.settings.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=services.settings.cors_origins,
            allow_methods=["*"],
            allow_headers=["*"],
            expose_headers=_EXPOSED_HEADERS,
        )
        app.add_middleware(EnvelopeMiddleware)  # it refuses preflights in words of its own
    app.add_middleware(OriginMiddleware, rules=services.origins)
    app.add_middleware(RequestMiddleware, metrics=services.metrics.requests)
    return app


def create_services(
    settings: Settings,
    *,
    transport: GraphqlTransport | None = None,
    catalog: Catalog | None = None,
    inventory: Inventory | None = None,
) -> Services:
    """What is not given is the real thing."""
    home = settings.paths
    database = Database(settings.database, settings.database_connections)
    inventory = inventory or load_object(settings.inventory)()
    prober = Prober(settings.media_timeout)
    catalog = catalog or load_catalog()
    transport = transport or GraphqlTransport(
        DAGSTER_URL,
        timeout=settings.dagster_timeout,
        transport=SocketTransport(home.webserver_socket, connections=_CONNECTIONS),
    )
    dagster = DagsterClient(transport)
    observer = Observer(transport)
    deadline = Deadline(settings.probe_timeout)
    return Services(
        settings=settings,
        home=home,
        catalog=catalog,
        inventory=inventory,
        devices=CachedDevices(inventory, deadline),
        database=database,
        dagster=dagster,
        queue=CachedQueue(dagster),
        # A launch asks Dagster three times at most, so by then its caller has stopped waiting.
        idempotency=IdempotencyRecords(
            database,
            stale_after=3 * settings.dagster_timeout + 5,
            days=settings.idempotency_days,
        ),
        media=MediaStore(home, settings.media_roots, prober),
        authenticator=Authenticator(database, enabled=settings.auth == "on"),
        sessions=Sessions(),
        origins=OriginRules.of(
            host=settings.host,
            public_url=settings.public_url,
            allowed_hosts=settings.allowed_hosts,
            cors_origins=settings.cors_origins,
            local_only=settings.auth == "off",
        ),
        health=HealthCheck(
            catalog=catalog,
            database=database,
            dagster=dagster,
            home=home,
            inventory=inventory,
            deadline=deadline,
        ),
        events=Hub(Watcher(dagster, home, settings.run_url), settings.streams_per_key),
        sockets=Shares(settings.streams_per_key, "WebSockets", retry_after=30),
        heavy_work=HeavyWork(),
        metrics=Metrics(
            SnapshotCollector(
                observer=observer,
                catalog=catalog,
                inventory=inventory,
                database=database,
                home=home,
                deadline=deadline,
            ),
            Endings(observer, since=time.time()),
            home,
        ),
    )


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    services: Services = app.state.services
    await to_thread.run_sync(_prepare, services)
    try:
        yield
    finally:
        await app.state.door.close()
        await services.events.close()
        await services.metrics.close()
        await services.dagster.close()
        services.database.close()


def _prepare(services: Services) -> None:
    """Clears what a crash left half done, makes the tables, and logs what is at risk."""
    make_private(services.home.root)
    shutil.rmtree(services.home.uploads, ignore_errors=True)
    services.home.uploads.mkdir(parents=True, exist_ok=True)
    services.database.migrate()
    services.idempotency.take_over()
    if not services.authenticator.enabled:
        log.warning("AUTHENTICATION IS OFF: whoever reaches this address is an administrator.")
    elif not list_keys(services.database):
        log.warning("There are no API keys yet: `framegate keys create` makes one.")
