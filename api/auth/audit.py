"""Writes what a request did into the audit log."""

import logging
from functools import partial
from typing import Any

from anyio import to_thread
from starlette.requests import HTTPConnection

from api.auth.roles import Principal
from contracts.audit import AuditLog
from contracts.home import Home

log = logging.getLogger("framegate")


async def record(
    home: Home, connection: HTTPConnection, principal: Principal, action: str, **detail: Any
) -> None:
    """What was done stays done where the log cannot be written, for instance on a full disk: then
    the server's own log says so.
    """
    write = partial(
        AuditLog(home.audit).write,
        action,
        by=principal.name,
        address=connection.client.host if connection.client else None,
        request_id=getattr(connection.state, "request_id", None),
        **detail,
    )
    try:
        await to_thread.run_sync(write)
    except OSError:
        log.exception("The audit log cannot be written.", extra={"action": action})
