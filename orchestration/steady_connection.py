"""A connection whose statements outlast a restart of the server: what is cut off is asked again."""

from typing import Any

from sqlalchemy import Connection, CursorResult, Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.dml import Insert


class SteadyConnection(Connection):
    """For statements that are transactions of their own.

    A row whose insertion was cut off may be there all the same, so inserting is for the caller to
    repeat. All other statements of Dagster may be executed twice.
    """

    def execute(self, statement: Any, *arguments: Any, **named: Any) -> CursorResult[Any]:
        try:
            return super().execute(statement, *arguments, **named)
        except DBAPIError as error:
            if not (error.connection_invalidated and self._may_repeat(statement)):
                raise
        self.rollback()  # of nothing: it lets go of the connection that is lost
        return super().execute(statement, *arguments, **named)

    def _may_repeat(self, statement: Any) -> bool:
        in_transaction = "isolation_level" in self.get_execution_options()
        return not in_transaction and not isinstance(statement, Insert)


def steady(engine: Engine) -> Engine:
    """The engine, whose connections are steady from now on. It commits each statement by itself."""
    engine._connection_cls = SteadyConnection  # noqa: SLF001 - the one way that SQLAlchemy has
    return engine
