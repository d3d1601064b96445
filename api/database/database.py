"""The adapter's own small database: API keys and idempotency records, which Dagster cannot hold.

Statements are short and synchronous; callers in the event loop run them in a thread.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from sqlalchemy import (
    URL,
    Column,
    Connection,
    Engine,
    MetaData,
    String,
    create_engine,
    event,
    inspect,
    select,
    text,
)
from sqlalchemy import Table as CoreTable
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
from sqlalchemy.pool import ConnectionPoolEntry, NullPool
from sqlalchemy.schema import CreateSchema

from api.database.problem import explained
from api.errors import DatabaseUnavailableError
from contracts.database import (
    MIGRATION_LOCK,
    OLDEST_POSTGRESQL,
    SCHEMA,
    is_postgresql,
    open_postgresql,
    parse_url,
)

_BUSY_TIMEOUT_MILLISECONDS = 10_000
#: Alembic's own.
_REVISION = Column("version_num", String)
CoreTable("alembic_version", MetaData(), _REVISION)


class Table(DeclarativeBase):
    """What all tables share. Times are UTC without a zone."""


class ApiKey(Table):
    __tablename__ = "api_keys"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    name: Mapped[str] = mapped_column(String(100))
    role: Mapped[str] = mapped_column(String(16))
    secret_hash: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class IdempotencyRecord(Table):
    """One `Idempotency-Key` of one owner; without a `run_id` its submission is under way."""

    __tablename__ = "idempotency_records"

    owner: Mapped[str] = mapped_column(String(100), primary_key=True)
    key: Mapped[str] = mapped_column(String(255), primary_key=True)
    fingerprint: Mapped[str] = mapped_column(String(64))
    run_id: Mapped[str | None] = mapped_column(String(64))
    #: What the run's id is made of, whoever launches it; and since when somebody does.
    attempt: Mapped[str] = mapped_column(String(32))
    claimed_at: Mapped[datetime]


class Installation(Table):
    """One row: the id that the home has, too."""

    __tablename__ = "installation"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)


class Database:
    """At most so many `connections` to PostgreSQL; SQLite's are opened for each use.

    What is to blame on the database itself is raised as DatabaseUnavailableError.
    """

    def __init__(self, url: str, connections: int = 8) -> None:
        self.url = parse_url(url)
        self._engine = _engine(self.url, connections)

    @contextmanager
    def read(self) -> Iterator[Session]:
        """For statements that only read: takes no lock."""
        engine = self._engine.execution_options(isolation_level="AUTOCOMMIT")
        with explained(self.url), Session(engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """One transaction, committed at the end; on SQLite the only writer while it lasts."""
        with (
            explained(self.url),
            Session(self._engine, expire_on_commit=False) as session,
            session.begin(),
        ):
            yield session

    @property
    def is_new(self) -> bool:
        """Whether nothing was ever kept in it. A file that is not there is not made for this."""
        if not is_postgresql(self.url) and not Path(self.url.database or "").exists():
            return True
        with self.read() as session:
            schema = SCHEMA if is_postgresql(self.url) else None
            return not inspect(session.connection()).has_table("alembic_version", schema)

    def schema_version(self) -> str:
        """The revision that the tables are at."""
        with self.read() as session:
            return str(session.scalar(select(_REVISION)))

    def close(self) -> None:
        self._engine.dispose()

    def migrate(self) -> None:
        """Brings the tables up to date; safe for several processes at once."""
        from api.database.migrations import upgrade  # noqa: PLC0415 - alembic is needed here alone

        if not is_postgresql(self.url) and self.url.database:
            Path(self.url.database).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with explained(self.url), self._engine.begin() as connection:
            if is_postgresql(self.url):
                _prepare_postgresql(connection)
            upgrade(connection)


def open_database(url: str) -> Database:
    """The database at `url` with its tables up to date."""
    database = Database(url)
    database.migrate()
    return database


def open_current_database(url: str) -> Database:
    """The database at `url` as it is, since a stack may be using it; tables are made where there
    are none. Raises DatabaseUnavailableError if they are of another version.
    """
    from api.database.migrations import newest  # noqa: PLC0415 - as above

    database = Database(url)
    if database.is_new:
        database.migrate()
    elif (revision := database.schema_version()) != newest():
        database.close()
        raise DatabaseUnavailableError(
            f"The database's tables are at {revision}, and this Framegate's at {newest()}.",
            hint="Stop the stack, back up, and run `framegate db migrate`.",
        )
    return database


def _engine(url: URL, connections: int) -> Engine:
    if is_postgresql(url):
        engine = open_postgresql(url, name="api", connections=connections)
        return engine.execution_options(schema_translate_map={None: SCHEMA})
    # Opening the file costs next to nothing, and a pool would go on using one that was deleted.
    engine = create_engine(url, poolclass=NullPool)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_immediate)
    return engine


def _prepare_postgresql(connection: Connection) -> None:
    """Says what is missing while there is somebody to read it: Dagster's processes start next."""
    version = connection.dialect.server_version_info or (0,)
    if int(version[0]) < OLDEST_POSTGRESQL:
        raise DatabaseUnavailableError(
            f"The server is PostgreSQL {'.'.join(map(str, version))}.",
            hint=f"Framegate needs PostgreSQL {OLDEST_POSTGRESQL} or newer.",
        )
    connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": MIGRATION_LOCK})
    if not inspect(connection).has_schema(SCHEMA):
        connection.execute(CreateSchema(SCHEMA))
    if not connection.scalar(text("SELECT has_schema_privilege('public', 'CREATE')")):
        raise DatabaseUnavailableError(
            f"The user {connection.engine.url.username!r} may not make tables in the schema "
            "`public`, where Dagster's tables go.",
            hint="Let it own the database, or GRANT CREATE ON SCHEMA public TO it.",
        )


def _prepare_sqlite(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    # The driver's own habit of opening transactions late would let two writers deadlock.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout={_BUSY_TIMEOUT_MILLISECONDS}")
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.close()


def _begin_immediate(connection: Connection) -> None:
    if connection.get_isolation_level() != "AUTOCOMMIT":
        connection.exec_driver_sql("BEGIN IMMEDIATE")
