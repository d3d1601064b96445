"""`framegate up` as a process of another command's own."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from api.cli.errors import CommandError
from api.settings import Settings
from api.stack import events
from contracts.project import PROJECT

#: Longer than any stack takes to stop.
_STOP_SECONDS = 60

_EVENTS: Mapping[str, type[events.Event]] = {
    kind.__name__: kind
    for kind in (
        events.AdminKeyCreated,
        events.PartReady,
        events.PartRestarting,
        events.StackReady,
        events.StackStopping,
        events.StackStopped,
    )
}


@dataclass(frozen=True)
class StackProcess:
    _output: Iterable[str]

    def tell(self) -> Iterator[events.Event]:
        """Its events as they come, until it has ended. Raises CommandError if it failed."""
        for line in self._output:
            told: dict[str, Any] = json.loads(line)
            if error := told.get("error"):
                raise CommandError(
                    error["message"],
                    hint=error.get("hint"),
                    code=error["code"],
                    detail=error.get("detail"),
                )
            yield _EVENTS[told.pop("event")](**told)

    def until_ready(self, report: Callable[[events.Event], None]) -> events.StackReady:
        for event in self.tell():
            report(event)
            if isinstance(event, events.StackReady):
                return event
        raise CommandError("The stack ended before it was ready.")


@contextmanager
def start_stack(settings: Settings) -> Iterator[StackProcess]:
    """Starts a stack and stops it at the end; it does not outlive this process in any case."""
    command = [
        *(sys.executable, "-m", "api.cli", "up", "--json", "--home", str(settings.paths.root)),
        *("--host", settings.host, "--port", str(settings.port)),
    ]
    keeper = [sys.executable, "-m", "api.stack.keeper", str(os.getpid()), str(_STOP_SECONDS)]
    with subprocess.Popen(  # noqa: S603 - our own command
        [*keeper, *command],
        cwd=PROJECT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,  # Ctrl-C is for this process, which then stops the stack
    ) as process:
        try:
            yield StackProcess(process.stdout or ())
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait()
