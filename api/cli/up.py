"""`framegate up`: what the stack tells, on the terminal or as JSON lines."""

import json
from dataclasses import asdict
from pathlib import Path

from rich.markup import escape

from api.cli.errors import CommandError
from api.cli.settings import read_settings
from api.cli.terminal import answers
from api.stack import events
from api.stack.errors import StackError
from api.stack.up import bring_up


def up(
    home: Path | None,
    host: str | None,
    port: int | None,
    database_url: str | None,
    *,
    as_json: bool,
) -> None:
    settings = read_settings(home=home, host=host, port=port, database_url=database_url)
    if not as_json:
        answers().print(f"[bold]Framegate[/] starts in {escape(str(settings.paths.root))}")
    try:
        bring_up(settings, print_json_line if as_json else print_event)
    except StackError as error:
        detail = {"log": error.log} if error.log else None
        raise CommandError(error.message, hint=error.hint, code="STACK", detail=detail) from error
    except OSError as error:  # a full disk, say
        raise CommandError(
            f"The stack cannot go on: {error}.",
            hint="`framegate doctor` looks at the disk and the home.",
            code="STACK",
        ) from error


def print_json_line(event: events.Event) -> None:
    print(json.dumps({"event": type(event).__name__, **asdict(event)}), flush=True)  # noqa: T201


def print_event(event: events.Event) -> None:
    answers().print(_line(event), soft_wrap=True)


def _line(event: events.Event) -> str:
    match event:
        case events.AdminKeyCreated(key):
            return f"  [yellow]Admin key[/] [bold]{key}[/]  keep it: it is never shown again"
        case events.PartReady(part, seconds, address):
            return f"  [green]✓[/] {part:<12} [dim]{seconds:4.1f} s[/]  {address or ''}".rstrip()
        case events.PartRestarting(part, ended, delay):
            return f"  [red]✗[/] {part} ended {ended}; it starts again in {delay:.1f} s"
        case events.StackReady(_, url, sign_in_url, seconds):
            ready = f"[bold green]Ready[/] in {seconds:.1f} s at {url}  Ctrl-C stops it."
            link = f"\n  Open it signed in, once within 10 minutes: {sign_in_url}"
            return ready + link if sign_in_url else ready
        case events.StackStopping():
            return "Stopping…"
        case events.StackStopped(seconds):
            return f"Stopped in {seconds:.1f} s."
