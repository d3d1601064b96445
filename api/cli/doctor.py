"""`framegate doctor`: all checks of this machine, with what mends each."""

from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

from rich.markup import escape
from rich.table import Table

from api.cli.checks import Check, State, run_checks
from api.cli.errors import CommandError
from api.cli.settings import read_settings
from api.cli.terminal import answers, print_json

_MARKS = {
    State.OK: "[green]✓[/]",
    State.WARNING: "[yellow]![/]",
    State.BROKEN: "[red]✗[/]",
}


def doctor(home: Path | None, *, as_json: bool) -> None:
    """Exits with 1 if something is broken; warnings alone are no failure."""
    checks = list(run_checks(read_settings(home=home)))
    healthy = all(check.state is not State.BROKEN for check in checks)
    if as_json:
        print_json({"healthy": healthy, "checks": [asdict(check) for check in checks]})
    else:
        print_checks(checks)
    if not healthy:
        raise SystemExit(CommandError.exit_code)


def print_checks(checks: Iterable[Check]) -> None:
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for check in checks:
        table.add_row(_MARKS[check.state], check.name, escape(check.found))
        if check.mend:
            table.add_row("", "", f"[yellow]{escape(check.mend)}[/]")
    answers().print(table)
