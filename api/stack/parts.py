"""What the stack consists of: the one table of its parts."""

import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from api.settings import Settings
from api.stack.ready import Dagster, api_answers, socket_accepts

#: None when the part is ready, else what is still missing.
Ready = Callable[[], Awaitable[str | None]]


#: What Dagster's own commands call ours.
DAGSTERS_LOG_FORMATS = {"text": "colored", "json": "json"}


@dataclass(frozen=True)
class Part:
    """One process of the stack.

    Attributes:
        name: also names its log.
        command: what runs it, in the project's folder.
        ready: asked again and again after each start until it returns None.
        uses: the parts that this one calls; they are stopped after it.
        waits_for: the parts that must be ready before it is started.
        grace_seconds: how long it may take to end before it is killed.
        address: where people reach it.
    """

    name: str
    command: tuple[str, ...]
    ready: Ready
    uses: tuple[str, ...] = ()
    waits_for: tuple[str, ...] = ()
    grace_seconds: float = 5.0
    address: str | None = None


def parts(settings: Settings, url: str, code_socket: Path) -> tuple[Part, ...]:
    """All start at once, but for those that would only complain until the code server is up."""
    dagster = Dagster(settings.paths.webserver_socket)
    log_format = DAGSTERS_LOG_FORMATS[settings.log_format]
    return (
        Part(
            name="code server",
            command=_python(
                "orchestration.slower_polling",
                "dagster", "code-server", "start",  # reloads its code when the UI asks
                "--module-name", "orchestration.definitions",
                "--socket", str(code_socket),
                "--location-name", "framegate",
                "--log-format", log_format, "--log-level", settings.log_level,
            ),
            ready=lambda: socket_accepts(code_socket),
            grace_seconds=2.0,
        ),
        Part(
            name="fork server",
            command=_python("orchestration.launcher.fork_server"),
            ready=lambda: socket_accepts(settings.paths.fork_server_socket),
            grace_seconds=20.0,  # it ends the runs under way first
        ),
        Part(
            name="webserver",
            command=_python("orchestration.webserver"),
            ready=dagster.has_loaded,
            uses=("code server",),
            waits_for=("code server",),
        ),
        Part(
            name="daemon",
            command=_python("orchestration.launcher.daemon"),
            ready=dagster.daemons_beat,
            uses=("code server", "fork server"),
            waits_for=("code server",),
        ),
        Part(
            name="API",
            command=_python("api"),
            ready=lambda: api_answers(url),
            uses=("webserver",),
            address=url,
        ),
    )  # fmt: skip


def _python(module: str, *arguments: str) -> tuple[str, ...]:
    return (sys.executable, "-m", module, *arguments)
