"""`framegate db check`: versions, contents and connections, one check each."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Any

import yaml
from sqlalchemy import text

from api.cli.checks import Check, State
from api.cli.dagster_database import ask
from api.cli.doctor import print_checks
from api.cli.errors import CommandError
from api.cli.settings import read_settings
from api.cli.terminal import print_json
from api.database.copy import count_rows
from api.database.database import Database
from api.database.migrations import newest
from api.errors import DatabaseUnavailableError
from api.settings import Settings
from contracts.database import is_postgresql, most_connections, shown
from contracts.project import configuration_file

_MIGRATE = "Stop the stack, back up, and run `framegate db migrate`."
_VERSION = {"sqlite": "SELECT sqlite_version()", "postgresql": "SHOW server_version"}
_CONNECTIONS = """
SELECT count(*) AS used,
       count(*) FILTER (WHERE application_name LIKE 'framegate %') AS ours,
       current_setting('max_connections')::int
         - current_setting('superuser_reserved_connections')::int AS allowed
FROM pg_stat_activity WHERE backend_type = 'client backend'
"""
_NAMED = 3


def check_database(home: Path | None, database_url: str | None, *, as_json: bool) -> None:
    """Exits with 1 if something is broken; warnings alone are no failure."""
    settings = read_settings(home=home, database_url=database_url)
    try:
        checks = list(_checks(settings))
    except DatabaseUnavailableError as error:
        checks = [Check("database", State.BROKEN, error.message, error.hint)]
    healthy = all(check.state is not State.BROKEN for check in checks)
    if as_json:
        print_json({"healthy": healthy, "checks": [asdict(check) for check in checks]})
    else:
        print_checks(checks)
    if not healthy:
        raise SystemExit(CommandError.exit_code)


def _checks(settings: Settings) -> Iterator[Check]:
    with closing(Database(settings.database)) as database:
        if database.is_new:
            found = f"{shown(database.url)}, made at the first start"
            yield Check("database", State.OK, found)
            return
        yield _check_server(database)
        yield (version := _check_version("Framegate's tables", database.schema_version(), newest()))
        if version.state is State.BROKEN:
            return
        with database.read() as session:
            own = ", ".join(f"{count} {name}" for name, count in count_rows(session).items())
        if is_postgresql(database.url):
            yield _check_connections(database, settings.database_connections)
    [dagsters] = ask(settings, "check")
    if dagsters["version"] is None:
        yield Check("Dagster's tables", State.OK, "made at the first start")
        return
    yield _check_version("Dagster's tables", **dagsters["version"])
    yield from _check_contents(own, **dagsters["contents"])


def _check_server(database: Database) -> Check:
    with database.read() as session:
        version = session.scalar(text(_VERSION[database.url.get_backend_name()]))
    name = "PostgreSQL" if is_postgresql(database.url) else "SQLite"
    return Check("database", State.OK, f"{name} {version}, {shown(database.url)}")


def _check_version(name: str, current: str, latest: str) -> Check:
    if current == latest:
        return Check(name, State.OK, f"at {current}, the latest")
    return Check(name, State.BROKEN, f"at {current}, behind {latest}", _MIGRATE)


def _check_connections(database: Database, part: int) -> Check:
    """Whether the server allows what a stack may need, beside what others use now."""
    with database.read() as session:
        row = session.execute(text(_CONNECTIONS)).one()
    most, others = most_connections(part, _run_limit()), row.used - row.ours
    found = f"{row.used} of {row.allowed} in use, {row.ours} by Framegate, which may use {most}"
    if most + others <= row.allowed:
        return Check("connections", State.OK, found)
    mend = "Raise the server's max_connections, or lower FRAMEGATE_DATABASE_CONNECTIONS."
    return Check("connections", State.WARNING, found, mend)


def _run_limit() -> int:
    config: dict[str, Any] = yaml.safe_load(configuration_file("dagster.yaml").read_text())
    return int(config["concurrency"]["runs"]["max_concurrent_runs"])


def _check_contents(
    own: str,
    *,
    runs: int,
    events: int | None,
    folders_without_run: Sequence[str],
    jobs_without_folder: Sequence[str],
) -> Iterator[Check]:
    of_events = "" if events is None else f" with {events} events"
    yield Check("contents", State.OK, f"{runs} runs{of_events}, {own}")
    if folders_without_run:
        mend = "No job owns them any more: remove them from jobs/ in the home."
        found = f"{_named(folders_without_run)} without a run"
        yield Check("folders", State.WARNING, found, mend)
    if jobs_without_folder:
        mend = "Restore them from a backup, or delete the jobs."
        found = f"{_named(jobs_without_folder)} completed, but without a folder"
        yield Check("results", State.WARNING, found, mend)


def _named(ids: Sequence[str]) -> str:
    more = f" and {len(ids) - _NAMED} more" if len(ids) > _NAMED else ""
    return ", ".join(ids[:_NAMED]) + more
