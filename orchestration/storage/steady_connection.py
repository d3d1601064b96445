"""A connection whose statements outlast what a server may go through: what a restart cuts off is
asked again, and what finds its disk full waits for room.
"""

import time
from collections.abc import Callable
from typing import Any, TypeVar

from sqlalchemy import Connection, CursorResult, Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.dml import Insert

from orchestration.dagster_internals.postgres import retry_pg_connection_fn

_LOOK_SECONDS = 0.5
#: PostgreSQL's code for it.
_DISK_FULL = "53100"
_AWAITS_ROOM = "framegate_awaits_room"

T = TypeVar("T")


class SteadyConnection(Connection):
    """For statements that are transactions of their own; a server that is away is waited for as
    Dagster does when it connects: for a minute.

    A row whose insertion was cut off may be there all the same, so inserting is for the caller to
    repeat. All other statements of Dagster may be executed twice.
    """

    def execute(self, statement: Any, *arguments: Any, **named: Any) -> CursorResult[Any]:
        if self._is_in_transaction():
            return super().execute(statement, *arguments, **named)
        return once_there_is_room(
            self, lambda: self._execute_steadily(statement, *arguments, **named)
        )

    def _execute_steadily(self, statement: Any, *arguments: Any, **named: Any) -> CursorResult[Any]:
        try:
            return super().execute(statement, *arguments, **named)
        except DBAPIError as error:
            if not error.connection_invalidated or isinstance(statement, Insert):
                raise
        self.rollback()  # of nothing: it lets go of the connection that is lost
        retry_pg_connection_fn(lambda: self.connection)
        return super().execute(statement, *arguments, **named)

    def _is_in_transaction(self) -> bool:
        return "isolation_level" in self.get_execution_options()


def steady(engine: Engine) -> Engine:
    """The engine, whose connections are steady from now on. It commits each statement by itself."""
    engine._connection_cls = SteadyConnection  # noqa: SLF001 - the one way that SQLAlchemy has
    engine.update_execution_options(**{_AWAITS_ROOM: True})
    return engine


def await_no_room(engine: Engine) -> None:
    """Where somebody waits for an answer, a full disk is one."""
    engine.update_execution_options(**{_AWAITS_ROOM: False})


def once_there_is_room(asked: Engine | Connection, do: Callable[[], T]) -> T:
    """What `do` returns; what a full disk undid is done again when somebody has made room, however
    long that takes.
    """
    while True:
        try:
            return do()
        except DBAPIError as error:
            if not (is_disk_full(error) and asked.get_execution_options().get(_AWAITS_ROOM)):
                raise
        time.sleep(_LOOK_SECONDS)


def is_disk_full(error: DBAPIError) -> bool:
    return getattr(error.orig, "pgcode", None) == _DISK_FULL
