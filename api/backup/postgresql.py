"""PostgreSQL by its own programs: one dump is one moment of all tables."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from sqlalchemy import URL

from api.backup.errors import BackupError

DUMP = "database.dump"


def dump(url: URL, target: Path) -> None:
    """Raises BackupError with what `pg_dump` said."""
    _run("pg_dump", "--format=custom", f"--file={target}", url=url)


def restore(url: URL, source: Path) -> None:
    """Everything or nothing, into an empty database. Raises BackupError as `dump` does."""
    _run(
        *("pg_restore", "--single-transaction", "--exit-on-error", "--no-owner"),
        *(f"--dbname={url.database}", str(source)),
        url=url,
    )


def _run(program: str, *arguments: str, url: URL) -> None:
    if not shutil.which(program):
        raise BackupError(
            f"{program} is not installed.",
            hint="It is in PostgreSQL's client package; put its folder into PATH.",
        )
    done = subprocess.run(  # noqa: S603 - the URL's parts go into the environment
        [program, *arguments], env=_environment(url), stderr=subprocess.PIPE, text=True, check=False
    )
    if done.returncode:
        raise BackupError(f"{program} failed: {done.stderr.strip()}")


def _environment(url: URL) -> Mapping[str, str]:
    """For libpq: arguments could be read by everybody on the machine."""
    named = {
        "PGHOST": url.host,
        "PGPORT": url.port,
        "PGUSER": url.username,
        "PGPASSWORD": url.password,
        "PGDATABASE": url.database,
        **{f"PG{key.upper()}": value for key, value in url.query.items()},
    }
    return {**os.environ, **{key: str(value) for key, value in named.items() if value is not None}}
