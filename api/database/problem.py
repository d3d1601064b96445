"""What is wrong with a database, in words that help: the driver's first line and what to do."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import URL
from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError

from api.errors import DatabaseUnavailableError
from contracts.database import is_postgresql, shown

_VARIABLE = "FRAMEGATE_DATABASE_URL"
#: What drivers and servers say, and what mends it; the first that is found counts.
_HINTS = (
    (r"password authentication failed|no password supplied|role \".*\" does not exist",
     "Check the user and the password in {variable}."),
    (r"no pg_hba\.conf entry",
     "The server's pg_hba.conf must allow this machine, user and database; sslmode may matter."),
    (r"database \".*\" does not exist",
     "Make it: createdb --owner USER DATABASE, or check the name in {variable}."),
    (r"too many clients|remaining connection slots|QueuePool limit",
     "Raise the server's max_connections, or lower FRAMEGATE_DATABASE_CONNECTIONS."),
    (r"permission denied|must be owner",
     "The user must own the database: ALTER DATABASE … OWNER TO …, and the schema `public` in it."),
    (r"read-only transaction|recovery",
     "The server takes no writes: name its primary in {variable}."),
    (r"No space left on device",
     "Free some space on the disk of the database's server."),
    (r"SSL|certificate",
     "Check sslmode and sslrootcert in {variable}."),
)  # fmt: skip
_AWAY = "Check that its server runs and that {variable} names it."
_FILE = "Check the rights and the disk of the home, or restore the file from a backup."


@contextmanager
def explained(url: URL) -> Iterator[None]:
    """Raises DatabaseUnavailableError for what the database itself is to blame for."""
    try:
        yield
    except IntegrityError:
        raise
    except SQLAlchemyError as error:
        raise problem(url, error) from error


def problem(url: URL, error: SQLAlchemyError) -> DatabaseUnavailableError:
    said = _said(error)
    message = f"The database {shown(url)} cannot be used: {said}."
    return DatabaseUnavailableError(message, hint=_hint(url, said))


def _said(error: SQLAlchemyError) -> str:
    """The driver's first line; the others are a stack of contexts."""
    lines = str(error.orig if isinstance(error, DBAPIError) else error).strip().splitlines()
    return lines[0].strip().rstrip(".") if lines else type(error).__name__


def _hint(url: URL, said: str) -> str:
    if not is_postgresql(url):
        return _FILE
    hints = (hint for pattern, hint in _HINTS if re.search(pattern, said))
    return next(hints, _AWAY).format(variable=_VARIABLE)
