"""What routes ask for in their signatures: the services, and who may call.

Every route has exactly one of `Public`, `Visitor`, `Reader`, `DownloadReader`, `Annotator` or
`Admin`; a test walks the routes and fails for one without.
"""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import APIKeyHeader, HTTPAuthorizationCredentials, HTTPBearer

from api.auth.authenticator import Authenticator
from api.auth.local import check_local
from api.auth.roles import Principal, Role
from api.dagster.client import DagsterClient
from api.database import Database
from api.devices import KnownDevices
from api.errors import ForbiddenError, RateLimitedError, UnauthorizedError
from api.events.hub import Hub
from api.health.check import HealthCheck
from api.idempotency import IdempotencyRecords
from api.media import MediaStore
from api.settings import Settings
from contracts.home import Home
from pipelines.registry.catalog import Catalog
from pipelines.registry.devices import Inventory


@dataclass(frozen=True)
class Services:
    """All that lives as long as the app does."""

    settings: Settings
    home: Home
    catalog: Catalog
    inventory: Inventory
    devices: KnownDevices
    database: Database
    dagster: DagsterClient
    idempotency: IdempotencyRecords
    media: MediaStore
    authenticator: Authenticator
    health: HealthCheck
    events: Hub


async def _services(request: Request) -> Services:
    services: Services = request.app.state.services
    return services


CurrentServices = Annotated[Services, Depends(_services)]


async def _request_id(request: Request) -> str:
    return str(request.state.request_id)


RequestId = Annotated[str, Depends(_request_id)]

_key_header = APIKeyHeader(name="X-API-Key", scheme_name="ApiKey", auto_error=False)
_bearer = HTTPBearer(scheme_name="Bearer", auto_error=False)

Header = Annotated[str | None, Depends(_key_header)]
Bearer = Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]


class PublicAccess:
    """Anybody; the key is not even looked at."""

    async def __call__(self) -> None:
        return None


class RoleAccess:
    """Whoever presents a key whose role includes `role`.

    Browsers can set no header on an event stream or a download: there `in_query` takes the
    key from `?token=` as well.
    """

    def __init__(self, role: Role, *, in_query: bool = False) -> None:
        self.role = role
        self.in_query = in_query

    async def __call__(self, request: Request, header: Header, bearer: Bearer) -> Principal:
        secret = _presented(request, header, bearer, in_query=self.in_query)
        principal = await _authenticate(request, secret)
        if not principal.role.includes(self.role):
            raise ForbiddenError(
                f"This needs the role {self.role}, and the key's role is {principal.role}.",
                hint="Ask an administrator for another key.",
            )
        return principal


class VisitorAccess:
    """Anybody, but a good key is recognised: None for everybody else."""

    async def __call__(self, request: Request, header: Header, bearer: Bearer) -> Principal | None:
        try:
            return await _authenticate(request, _presented(request, header, bearer))
        except (ForbiddenError, RateLimitedError, UnauthorizedError):
            return None


Public = Annotated[None, Depends(PublicAccess())]
Visitor = Annotated[Principal | None, Depends(VisitorAccess())]
Reader = Annotated[Principal, Depends(RoleAccess(Role.READER))]
DownloadReader = Annotated[Principal, Depends(RoleAccess(Role.READER, in_query=True))]
Annotator = Annotated[Principal, Depends(RoleAccess(Role.ANNOTATOR))]
Admin = Annotated[Principal, Depends(RoleAccess(Role.ADMIN))]


def _presented(
    request: Request, header: str | None, bearer: Bearer, *, in_query: bool = False
) -> str | None:
    if header:
        return header
    if bearer:
        return bearer.credentials
    return request.query_params.get("token") if in_query else None


async def _authenticate(request: Request, secret: str | None) -> Principal:
    services: Services = request.app.state.services
    if not services.authenticator.enabled:
        check_local(request.headers, services.settings.cors_origins)
    address = request.client.host if request.client else "-"
    return await services.authenticator.authenticate(secret, address)
