"""Who stands at the door: by an API key in a header, or by the cookie of a session."""

from dataclasses import dataclass

from starlette.requests import HTTPConnection

from api.auth.presented import presented_key
from api.auth.roles import LOCAL, Principal, Role
from api.auth.signed_in import find_signed_in
from api.dependencies import Services
from api.door.cookie import session_token
from api.errors import ForbiddenError
from contracts.door import ACCESS_HEADER, READ, USER_HEADER, WRITE
from contracts.logs import note


@dataclass(frozen=True)
class Visitor:
    """`renewed` is the session's next token, if it has a new one."""

    principal: Principal
    renewed: str | None = None

    @property
    def may_change(self) -> bool:
        """Whether mutations are for them."""
        return self.principal.role.includes(Role.ENGINEER)

    def headers(self) -> dict[str, str]:
        """What Dagster is told about them."""
        return {
            USER_HEADER: self.principal.name,
            ACCESS_HEADER: WRITE if self.may_change else READ,
        }


async def identify(services: Services, connection: HTTPConnection) -> Visitor:
    """Raises UnauthorizedError, RateLimitedError."""
    visitor = await _identify(services, connection)
    connection.state.owner = visitor.principal.name
    note(owner=visitor.principal.name)
    return visitor


def require_engineer(visitor: Visitor) -> None:
    """Raises ForbiddenError."""
    if not visitor.may_change:
        raise ForbiddenError(
            "Changing anything in Dagster needs the role engineer or admin, "
            f"and the key's role is {visitor.principal.role}.",
            hint="Ask an administrator for another key.",
        )


async def _identify(services: Services, connection: HTTPConnection) -> Visitor:
    if not services.authenticator.enabled:
        return Visitor(LOCAL)
    if key := presented_key(connection.headers):
        address = connection.client.host if connection.client else "-"
        return Visitor((await services.authenticator.find(key, address)).principal)
    token = session_token(connection, services.settings.port)
    record, renewed = await find_signed_in(services.sessions, services.authenticator, token)
    return Visitor(record.principal, renewed)
