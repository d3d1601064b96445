"""Repeats what must not be lost, however long the database is away or the disk is full."""

import logging
import time
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy.exc import DBAPIError, InterfaceError, InternalError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnectionError

logger = logging.getLogger("framegate.workers")

_FIRST_PAUSE_SECONDS = 1.0
_LONGEST_PAUSE_SECONDS = 30.0

Said = TypeVar("Said")


def retry(say: Callable[[], Said], pause: Callable[[float], None] = time.sleep) -> Said:
    """Calls `say` until it succeeds; pauses in between, longer each time.

    Raises at once any error that would not pass.
    """
    seconds = _FIRST_PAUSE_SECONDS
    while True:
        try:
            return say()
        except Exception as error:
            if not is_transient(error):
                raise
            logger.exception("the end of a run cannot be recorded yet")
        pause(seconds)
        seconds = min(2 * seconds, _LONGEST_PAUSE_SECONDS)


def is_transient(error: Exception) -> bool:
    """Whether the cause passes, or can be removed meanwhile: a database that is away, locked
    or short of connections; a disk that is full; a machine short of memory, processes or files.
    """
    match error:
        case OSError() | MemoryError() | NoConnectionError():
            return True
        case OperationalError():
            return "no such" not in str(error.orig)  # SQLite's words for a table that is missing
        case InterfaceError() | InternalError():
            return True
        case DBAPIError():
            return error.connection_invalidated
        case _:  # dagster-postgres, which is not imported for SQLite, gives up after some tries
            return type(error).__name__ == "DagsterPostgresException"
