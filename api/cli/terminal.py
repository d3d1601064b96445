"""What commands print: answers on standard output, all else on standard error."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from rich.console import Console
from rich.markup import escape

from api.cli.errors import CommandError

#: Not a line is broken or shortened where the output goes into a pipe or a file.
_PIPE_WIDTH = 1000


def answers() -> Console:
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=_PIPE_WIDTH)


def notes() -> Console:
    return Console(stderr=True, highlight=False, soft_wrap=True)


def print_json(value: Any) -> None:
    """The one thing on standard output of a command with `--json`."""
    print(json.dumps(value, indent=2, ensure_ascii=False))  # noqa: T201 - this is the output


def print_problems(console: Console, problems: Iterable[Mapping[str, Any]]) -> None:
    """What is wrong with the fields of a config or a request."""
    for problem in problems:
        console.print(f"  [bold]{escape(problem['field'])}[/]: {escape(problem['message'])}")
        if hint := problem.get("hint") or problem.get("suggestion"):
            console.print(f"    [dim]{escape(hint)}[/]")


def print_error(error: CommandError, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(error.envelope(), ensure_ascii=False))  # noqa: T201 - one line, as events
        return
    console = notes()
    console.print(f"[bold red]Error:[/] {escape(error.message)}")
    problems = (error.detail or {}).get("errors", ())
    if len(problems) > 1:  # else the message says it
        print_problems(console, problems)
    if log := (error.detail or {}).get("log"):
        console.print(f"[dim]{escape(log)}[/]")
    if error.hint:
        console.print(f"[yellow]Hint:[/] {escape(error.hint)}")
