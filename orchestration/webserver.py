"""Dagster's webserver on a Unix socket, for the door alone (`api/door/`).

    python -m orchestration.webserver

Dagster's own program listens on a TCP port, where every local user and every web page open in a
browser reaches it. This one serves the same application on a socket in the home that only the
account of the stack can open, and believes what the door says about who asks.
"""

import signal
import socket
import stat
from pathlib import Path

import uvicorn
from dagster import DagsterInstance, __version__
from starlette.requests import HTTPConnection

from contracts.door import ACCESS_HEADER, DAGSTER_PREFIX, READ, USER_HEADER, launch_tags
from contracts.project import configuration_file
from contracts.socket_address import socket_address
from orchestration.dagster_internals.webserver import (
    configure_loggers,
    create_app_from_workspace_process_context,
)
from orchestration.dagster_internals.workspace import (
    WorkspaceFileTarget,
    WorkspaceProcessContext,
    WorkspaceRequestContext,
)
from orchestration.settings import Settings
from orchestration.slower_polling import poll_less_often

#: As Dagster's own program has them.
_STATEMENT_TIMEOUT_MILLISECONDS = 15_000
_POOL_RECYCLE_SECONDS = 3600
_POOL_MAX_OVERFLOW = 20
_POLL_MILLISECONDS = 2000


class VisitorContext(WorkspaceRequestContext):
    """Of one request: Dagster refuses mutations to whoever may only look, and its UI disables
    what would need one.
    """

    def get_viewer_tags(self) -> dict[str, str]:
        """On a backfill, and thereby on the runs that the daemon launches for it."""
        user = _header(self.source, USER_HEADER)
        return launch_tags(user) if user else {}


class VisitorProcessContext(WorkspaceProcessContext):
    def create_request_context(self, source: object | None = None) -> WorkspaceRequestContext:
        return VisitorContext(
            instance=self._instance,
            current_workspace=self.get_current_workspace(),
            process_context=self,
            version=self.version,
            source=source,
            read_only=_header(source, ACCESS_HEADER) == READ,
        )


def main() -> None:
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    settings = Settings()
    configure_loggers(
        formatter="json" if settings.log_format == "json" else "colored",
        log_level=settings.log_level.upper(),
    )
    poll_less_often()
    with DagsterInstance.get() as instance:
        instance.optimize_for_webserver(
            _STATEMENT_TIMEOUT_MILLISECONDS, _POOL_RECYCLE_SECONDS, _POOL_MAX_OVERFLOW
        )
        with VisitorProcessContext(
            instance,
            WorkspaceFileTarget([str(configuration_file("workspace.yaml"))]),
            version=__version__,
        ) as context:
            app = create_app_from_workspace_process_context(
                context, DAGSTER_PREFIX, _POLL_MILLISECONDS
            )
            server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
            try:
                server.run([listen(settings.folders.webserver_socket)])
            finally:
                settings.folders.webserver_socket.unlink(missing_ok=True)


def listen(path: Path) -> socket.socket:
    """A socket at `path` that this account alone can open; one left behind is replaced."""
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    with socket_address(path) as address:
        listener.bind(address)
    path.chmod(stat.S_IRUSR | stat.S_IWUSR)
    return listener


def _header(source: object | None, name: str) -> str | None:
    return source.headers.get(name) if isinstance(source, HTTPConnection) else None


if __name__ == "__main__":
    main()
