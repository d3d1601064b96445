"""Brings the stack up: everything that must be right before the first part starts."""

import asyncio
import os
import time
from pathlib import Path

from api.auth.admin_link import admin_link
from api.auth.keys import ensure_first_admin_key
from api.auth.links import discard_links
from api.database.database import open_database
from api.errors import FramegateError
from api.local_url import local_url
from api.settings import Settings
from api.stack.errors import StackError
from api.stack.events import AdminKeyCreated, Report, StackReady
from api.stack.handles import raise_handle_limit
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
    raise_handle_limit()
    with hold_home(home.run, RunningStack(os.getpid(), url)) as killed:
        patience = _ENDING_SECONDS if killed else 0.0
        require_port(settings.host, settings.port, flag="--port", patience=patience)
        _create_first_key(settings, report)
        discard_links(home)

        def on_ready() -> None:
            link = admin_link(settings, url)
            report(StackReady(str(home.root), url, link, time.monotonic() - started_at))

        async def run(socket: Path) -> None:
            stack = Stack(
                parts(settings, url, socket), environment(settings, socket), home.logs, report
            )
            await stack.run(on_ready)

        with code_socket(home) as socket:
            asyncio.run(run(socket))


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
