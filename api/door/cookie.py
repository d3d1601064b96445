"""The cookie that holds a session's token."""

from starlette.requests import HTTPConnection
from starlette.responses import Response


def session_token(connection: HTTPConnection, port: int) -> str | None:
    return connection.cookies.get(_name(port))


def set_session_cookie(response: Response, token: str, *, port: int, secure: bool) -> None:
    """`secure` is whether the browser came over TLS. The cookie goes when the browser is closed.

    Lax, so that a link to a run in a message opens the run; what changes something is refused to
    foreign pages by their origin.
    """
    response.set_cookie(_name(port), token, path="/", httponly=True, samesite="lax", secure=secure)


def clear_session_cookie(response: Response, *, port: int, secure: bool) -> None:
    response.delete_cookie(_name(port), path="/", httponly=True, samesite="lax", secure=secure)


def _name(port: int) -> str:
    """Browsers share cookies among all ports of a host: two stacks must not take each other's."""
    return f"framegate_session_{port}"
