"""Which database: SQLite files in the home, or one PostgreSQL for everything; and how both sides
connect to that.

On PostgreSQL, Dagster's tables are where the connection's search path leads (`public`), and the
adapter's are beside them in a schema of their own.
"""

import time
from collections.abc import Mapping
from typing import Any

from sqlalchemy import URL, Engine, create_engine, event, make_url
from sqlalchemy.engine import Dialect
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import ConnectionPoolEntry

#: The adapter's own schema, with Alembic's table of versions in it.
SCHEMA = "framegate"
OLDEST_POSTGRESQL = 12
#: Any constant: the name of the lock under which one process at a time makes or changes tables.
MIGRATION_LOCK = 0x66726D67
#: Of each of a run's two processes.
RUN_CONNECTIONS = 2

_DRIVER = "postgresql+psycopg2"
_DRIVERS = frozenset({"postgres", "postgresql", _DRIVER})
_SECRETS = frozenset({"password", "passfile", "sslpassword"})
#: What libpq would wait for, or not notice, for minutes; the URL goes before.
_CONNECT = {
    "connect_timeout": 10,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 60_000,  # ms: for what was sent and is never acknowledged
}
_POOL_SECONDS = 10.0
_RECYCLE_SECONDS = 1800
_RETRY_SECONDS = 0.5
#: API, webserver, daemon and code server.
_PARTS = 4


def parse_url(text: str) -> URL:
    """A SQLite or PostgreSQL URL with the driver that comes along. Raises ValueError, without
    the text in it: there may be a password in that.
    """
    try:
        url = make_url(text)
    except ArgumentError:
        raise ValueError(
            "the database's URL has the form postgresql://user:password@host:port/database"
        ) from None
    if url.get_backend_name() == "sqlite":
        return url
    if url.drivername not in _DRIVERS:
        raise ValueError(
            f"{url.drivername!r} is not a database that Framegate knows; use postgresql://"
        )
    if not url.database:
        raise ValueError("the database's URL names no database: postgresql://…/database")
    return url.set(drivername=_DRIVER)


def is_postgresql(url: URL) -> bool:
    return url.get_backend_name() == "postgresql"


def shown(url: URL) -> str:
    """The URL as people may see it."""
    hidden = {key: "***" if key in _SECRETS else value for key, value in url.query.items()}
    return url.set(query=hidden).render_as_string(hide_password=True)


def most_connections(part: int, runs: int) -> int:
    """How many a stack may have at once, where each part may have `part` and `runs` go at once."""
    return _PARTS * part + 2 * runs * RUN_CONNECTIONS


def open_postgresql(
    url: URL, *, name: str, connections: int, patience: float = 0.0, **options: Any
) -> Engine:
    """An engine with at most so many connections, one of them kept open.

    A connection that the server has closed meanwhile is replaced before it is used. Where the
    server cannot be reached, connecting is tried again for `patience` seconds; then, as where no
    connection is free for 10 s, sqlalchemy.exc.SQLAlchemyError is raised.
    """
    engine = create_engine(
        url,
        connect_args=_connect_arguments(url, name),
        pool_size=1,
        max_overflow=connections - 1,
        pool_timeout=_POOL_SECONDS,
        pool_pre_ping=True,
        pool_recycle=_RECYCLE_SECONDS,
        pool_use_lifo=True,
        **options,
    )

    @event.listens_for(engine, "do_connect")
    def connect(
        dialect: Dialect,
        _entry: ConnectionPoolEntry,
        arguments: tuple[Any, ...],
        named: dict[str, Any],
    ) -> DBAPIConnection:
        return _connect(dialect, arguments, named, patience)

    return engine


def _connect_arguments(url: URL, name: str) -> Mapping[str, Any]:
    defaults = {**_CONNECT, "application_name": f"framegate {name}"}
    return {key: value for key, value in defaults.items() if key not in url.query}


def _connect(
    dialect: Dialect, arguments: tuple[Any, ...], named: dict[str, Any], patience: float
) -> DBAPIConnection:
    """A server that restarts is waited for."""
    deadline = time.monotonic() + patience
    while True:
        try:
            return dialect.connect(*arguments, **named)
        except dialect.loaded_dbapi.OperationalError:
            if time.monotonic() + _RETRY_SECONDS > deadline:
                raise
        time.sleep(_RETRY_SECONDS)
