"""Who is signed in: the key that the session in a browser's cookie was opened with."""

from api.auth.authenticator import Authenticator
from api.auth.keys import KeyRecord
from api.auth.sessions import Sessions
from api.errors import UnauthorizedError


async def find_signed_in(
    sessions: Sessions, authenticator: Authenticator, token: str | None
) -> tuple[KeyRecord, str | None]:
    """The key, and the session's next token if it has a new one. Raises UnauthorizedError."""
    presented = sessions.present(token) if token else None
    if token is None or presented is None:
        raise UnauthorizedError("You are not signed in.", hint="Sign in at /sign-in.")
    try:
        record = await authenticator.find_by_id(presented.key_id)
    except UnauthorizedError:
        sessions.close(token)
        raise
    return record, presented.renewed
