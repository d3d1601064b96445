"""`framegate keys`: works on the database itself, whether the stack runs or not."""

import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from rich.markup import escape
from rich.table import Table

from api.auth import keys
from api.auth.keys import KeyRecord
from api.auth.links import viewer_link
from api.auth.roles import Role
from api.auth.webhooks import add_webhook, check_webhook_url, remove_webhook, webhook_hosts
from api.cli.errors import CommandError
from api.cli.settings import read_settings
from api.cli.terminal import answers, notes, print_json
from api.database.database import Database, open_current_database
from api.errors import FramegateError
from contracts.audit import AuditLog
from contracts.home import Home
from contracts.private_folder import make_private
from contracts.webhook import host_of


def create_key(
    home: Path | None,
    *,
    role: str,
    name: str,
    days: float | None,
    webhook: str | None,
    as_json: bool,
) -> None:
    """Prints the key alone to stdout: it can go straight into a variable or a secret store."""
    now = datetime.now(UTC)
    settings = read_settings(home=home)
    folders = settings.paths
    with _database(home) as database:
        if webhook:
            check_webhook_url(webhook)
        record, secret = keys.create_key(
            database,
            role=Role(role),
            name=name,
            expires_at=now + timedelta(days=days) if days else None,
        )
    _record(folders, "key.create", record)
    signing = add_webhook(folders, record, webhook) if webhook else None
    if as_json:
        host = host_of(webhook) if webhook else None
        print_json({**_facts(record, host), "key": secret, "webhook_secret": signing})
        return
    print(secret)  # noqa: T201 - this is the output
    if signing:
        notes().print(f"Its webhook's messages are signed with [bold]{signing}[/], shown only now.")
    if settings.viewer:
        link = viewer_link(settings.url, secret)
        notes().print(f"This opens the viewer with it: {link}", soft_wrap=True)


def list_keys(home: Path | None, *, as_json: bool) -> None:
    with _database(home) as database:
        records = keys.list_keys(database)
    hosts = webhook_hosts(read_settings(home=home).paths)
    if as_json:
        print_json({"keys": [_facts(record, hosts.get(record.id)) for record in records]})
        return
    table = Table("id", "name", "role", "created", "state", "webhook", box=None)
    for record in records:
        created = record.created_at.strftime("%Y-%m-%d")
        table.add_row(
            record.id,
            escape(record.name),
            record.role,
            created,
            _state(record),
            escape(hosts.get(record.id, "")),
        )
    answers().print(table if records else "No keys.")


def revoke_key(home: Path | None, key_id: str, *, as_json: bool) -> None:
    with _database(home) as database:
        record = keys.revoke_key(database, key_id)
    folders = read_settings(home=home).paths
    _record(folders, "key.revoke", record)
    remove_webhook(folders, record)
    if as_json:
        print_json(_facts(record, None))
    else:
        notes().print(f"The key of {escape(record.name)} is revoked.")


@contextmanager
def _database(home: Path | None) -> Iterator[Database]:
    settings = read_settings(home=home)
    try:
        make_private(settings.paths.root)
        database = open_current_database(settings.database)
        try:
            yield database
        finally:
            database.close()
    except FramegateError as error:
        raise CommandError(error.message, hint=error.hint, code=error.code) from error
    except OSError as error:
        raise CommandError(
            f"The database cannot be used: {error}",
            hint="`framegate doctor` says what is wrong with it.",
        ) from error


def _record(home: Home, action: str, key: KeyRecord) -> None:
    """Into the audit log, with the name of the system's user: no key is needed here."""
    AuditLog(home.audit).write(
        action, by=getpass.getuser(), key_id=key.id, name=key.name, role=key.role.value
    )


def _facts(record: KeyRecord, webhook_host: str | None) -> dict[str, Any]:
    return {
        "id": record.id,
        "name": record.name,
        "role": record.role.value,
        "created_at": _timestamp(record.created_at),
        "expires_at": _timestamp(record.expires_at),
        "revoked_at": _timestamp(record.revoked_at),
        "webhook_host": webhook_host,
    }


def _timestamp(moment: datetime | None) -> str | None:
    return None if moment is None else f"{moment.isoformat(timespec='seconds')}Z"


def _state(record: KeyRecord) -> str:
    if record.revoked_at:
        return "[red]revoked[/]"
    if not record.is_valid(datetime.now(UTC).replace(tzinfo=None)):
        return "[yellow]expired[/]"
    if record.expires_at:
        return f"[green]valid[/] until {record.expires_at:%Y-%m-%d}"
    return "[green]valid[/]"
