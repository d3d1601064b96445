"""PostgreSQL by its own programs: one dump is one moment of all tables."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from psycopg2.extensions import make_dsn  # type: ignore[import-untyped] # it has no types
from sqlalchemy import URL

from api.backup.errors import BackupError

DUMP = "database.dump"


def dump(url: URL, target: Path) -> None:
    """Raises BackupError with what `pg_dump` said."""
    _run("pg_dump", "--format=custom", f"--file={target}", url=url)


def restore(url: URL, source: Path) -> None:
    """Everything or nothing, into an empty database. Raises BackupError as `dump` does."""
    _run(
        *("pg_restore", "--single-transaction", "--exit-on-error"),
        *("--no-owner", "--no-privileges", str(source)),
        url=url,
    )


def _run(program: str, *arguments: str, url: URL) -> None:
    if not shutil.which(program):
        raise BackupError(
            f"{program} is not installed.",
            hint="It is in PostgreSQL's client package; put its folder into PATH.",
        )
    connection, environment = _connection(url)
    done = subprocess.run(  # noqa: S603 - no secret is among the arguments
        [program, f"--dbname={connection}", *arguments],
        env={**os.environ, **environment},
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode:
        raise BackupError(f"{program} failed: {done.stderr.strip()}")


def _connection(url: URL) -> tuple[str, Mapping[str, str]]:
    """For libpq, as the driver would say it; and the password, since arguments could be read by
    everybody on the machine.
    """
    _, named = url.get_dialect()().create_connect_args(url)
    if "sslpassword" in named:
        raise BackupError(
            "The URL has an sslpassword, which PostgreSQL's programs take from arguments alone.",
            hint="Everybody on the machine could read it: use a key without one.",
        )
    password = named.pop("password", None)
    return make_dsn(**named), {"PGPASSWORD": password} if password else {}
