"""Brings the stack up: everything that must be right before the first part starts."""

import asyncio
import ipaddress
import os
import time
from dataclasses import replace
from pathlib import Path

from api.auth.keys import ensure_first_admin_key
from api.database import open_database
from api.errors import FramegateError
from api.settings import Settings
from api.stack.errors import StackError
from api.stack.events import AdminKeyCreated, Report, StackReady
from api.stack.installation import require_own_database
from api.stack.layout import code_socket, environment, lay_out
from api.stack.lock import RunningStack, hold_home
from api.stack.parts import parts
from api.stack.ports import require_port
from api.stack.stack import Stack
from contracts.cgroup import make_room_for_runs

#: How long the parts of a killed stack may take to end.
_ENDING_SECONDS = 10.0


def bring_up(settings: Settings, report: Report) -> None:
    """Returns once the stack was asked to stop and has stopped. Raises StackError."""
    started_at = time.monotonic()
    home = settings.paths
    url = local_url(settings.host, settings.port)
    lay_out(home)
    make_room_for_runs()
    with hold_home(home.run, RunningStack(os.getpid(), url, settings.dagster_url)) as killed:
        _require_ports(settings, patience=_ENDING_SECONDS if killed else 0.0)
        _create_first_key(settings, report)
        ready = StackReady(str(home.root), url, settings.dagster_url, seconds=0.0)

        def on_ready() -> None:
            report(replace(ready, seconds=time.monotonic() - started_at))

        async def run(socket: Path) -> None:
            stack = Stack(
                parts(settings, url, socket), environment(settings, socket), home.logs, report
            )
            await stack.run(on_ready)

        with code_socket(home) as socket:
            asyncio.run(run(socket))


def local_url(host: str, port: int) -> str:
    """Where a program on this machine reaches a server that listens on `host`."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return f"http://{host}:{port}"
    if address.is_unspecified:
        address = ipaddress.ip_address("::1" if address.version == 6 else "127.0.0.1")  # noqa: PLR2004 - IPv6
    return f"http://[{address}]:{port}" if address.version == 6 else f"http://{address}:{port}"  # noqa: PLR2004 - IPv6


def _require_ports(settings: Settings, patience: float) -> None:
    if settings.port == settings.dagster_port:
        raise StackError(
            f"Port {settings.port} cannot serve both the API and the Dagster UI.",
            hint="Choose another one with --port or --dagster-port.",
        )
    require_port(settings.host, settings.port, flag="--port", patience=patience)
    require_port("127.0.0.1", settings.dagster_port, flag="--dagster-port", patience=patience)


def _create_first_key(settings: Settings, report: Report) -> None:
    """Reported at once: whatever happens next, it is never shown again."""
    try:
        database = open_database(settings.database)
        require_own_database(settings.paths, database)
        key = ensure_first_admin_key(database)
        database.close()
    except FramegateError as error:
        raise StackError(error.message, hint=error.hint) from error
    if key:
        report(AdminKeyCreated(key))
