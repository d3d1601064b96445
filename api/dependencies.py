"""What routes ask for in their signatures: the services, and who may call.

Who may call is also where a query parameter that the route does not take is refused.

Every route has exactly one of `Public`, `Visitor`, `Reader`, `DownloadReader`, `Annotator` or
`Admin`; a test walks the routes and fails for one without.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Annotated, ClassVar

from fastapi import Depends, Request

from api.auth.authenticator import Authenticator
from api.auth.origin import OriginRules
from api.auth.presented import presented_key
from api.auth.roles import Principal, Role
from api.auth.sessions import Sessions
from api.auth.shares import Shares
from api.auth.signed_in import find_signed_in
from api.dagster.client import DagsterClient
from api.dagster.queue import CachedQueue
from api.database.database import Database
from api.door.cookie import session_token
from api.errors import ForbiddenError
from api.events.hub import Hub
from api.health.check import HealthCheck
from api.health.devices import CachedDevices
from api.http.heavy_work import HeavyWork
from api.http.unknown_names import TOKEN, check_query
from api.media.store import MediaStore
from api.metrics.metrics import Metrics
from api.settings import Settings
from api.submissions.idempotency import IdempotencyRecords
from contracts.home import Home
from contracts.logs import note
from pipelines.registry.catalog import Catalog
from pipelines.registry.devices import Inventory


@dataclass(frozen=True)
class Services:
    """All that lives as long as the app does."""

    settings: Settings
    home: Home
    catalog: Catalog
    inventory: Inventory
    devices: CachedDevices
    database: Database
    dagster: DagsterClient
    queue: CachedQueue
    idempotency: IdempotencyRecords
    media: MediaStore
    authenticator: Authenticator
    sessions: Sessions
    origins: OriginRules
    health: HealthCheck
    events: Hub
    sockets: Shares
    heavy_work: HeavyWork
    metrics: Metrics


async def _services(request: Request) -> Services:
    services: Services = request.app.state.services
    return services


CurrentServices = Annotated[Services, Depends(_services)]


async def _request_id(request: Request) -> str:
    return str(request.state.request_id)


RequestId = Annotated[str, Depends(_request_id)]

#: How a key may be presented, in the words of OpenAPI. Read from the headers by hand, because
#: the framework takes longer to solve a dependency than to answer with a constant.
_BY_HEADER: list[dict[str, list[str]]] = [{"ApiKey": []}, {"Bearer": []}]
_BY_QUERY: dict[str, list[str]] = {"Token": []}


#: Called, it says who it is, or raises why that cannot be told, as `RoleAccess` does.
Authenticate = Callable[[], Awaitable[Principal]]


async def _authenticate_again(request: Request) -> Authenticate:
    """For answers that take long: whether the key that opened them is still good."""
    return partial(_authenticate, request, _presented(request, in_query=True))


AuthenticateAgain = Annotated[Authenticate, Depends(_authenticate_again)]


class PublicAccess:
    """Anybody; the key is not even looked at."""

    security: ClassVar[list[dict[str, list[str]]]] = []

    async def __call__(self, request: Request) -> None:
        check_query(request)


class RoleAccess:
    """Whoever presents a key whose role includes `role`.

    Browsers can set no header on an event stream or a download: there `in_query` takes the
    key from `?token=` as well.
    """

    def __init__(self, role: Role, *, in_query: bool = False) -> None:
        self.role = role
        self.in_query = in_query
        self.security = [*_BY_HEADER, _BY_QUERY] if in_query else _BY_HEADER

    async def __call__(self, request: Request) -> Principal:
        secret = _presented(request, in_query=self.in_query)
        principal = await _authenticate(request, secret)
        if not principal.role.includes(self.role):
            raise ForbiddenError(
                f"This needs the role {self.role}, and the key's role is {principal.role}.",
                hint="Ask an administrator for another key.",
            )
        check_query(request, with_token=self.in_query)
        return principal


class VisitorAccess:
    """Anybody. Who it is, is looked up only when the route asks; see `Visitor`."""

    security: ClassVar[list[dict[str, list[str]]]] = [{}, *_BY_HEADER]

    async def __call__(self, request: Request) -> Authenticate:
        check_query(request)
        return partial(_authenticate, request, _presented(request))


Public = Annotated[None, Depends(PublicAccess())]
Visitor = Annotated[Authenticate, Depends(VisitorAccess())]
Reader = Annotated[Principal, Depends(RoleAccess(Role.READER))]
DownloadReader = Annotated[Principal, Depends(RoleAccess(Role.READER, in_query=True))]
Annotator = Annotated[Principal, Depends(RoleAccess(Role.ANNOTATOR))]
Admin = Annotated[Principal, Depends(RoleAccess(Role.ADMIN))]


def _presented(request: Request, *, in_query: bool = False) -> str | None:
    return presented_key(request.headers) or (request.query_params.get(TOKEN) if in_query else None)


async def _authenticate(request: Request, secret: str | None) -> Principal:
    services: Services = request.app.state.services
    if not services.authenticator.enabled:  # then reading is for our own pages only, too
        services.origins.check_caller(request.headers, request.url.scheme)
    token = session_token(request, services.settings.port)
    if token and not secret and services.authenticator.enabled:
        principal = await _signed_in(services, request, token)
    else:
        address = request.client.host if request.client else "-"
        principal = await services.authenticator.authenticate(secret, address)
    request.state.owner = principal.name
    note(owner=principal.name)
    return principal


async def _signed_in(services: Services, request: Request, token: str) -> Principal:
    """A browser sends the cookie with whatever any page asks for: only our own pages may.

    The session's next token is left to pages, which a person opens again and again.
    """
    services.origins.check_page(request.headers, request.url.scheme)
    record, _renewed = await find_signed_in(services.sessions, services.authenticator, token)
    return record.principal
