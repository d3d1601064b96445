"""`framegate pipelines` and `validate`: what can be run, and whether a config is good for it."""

from typing import Any

from rich.markup import escape
from rich.table import Table

from api.cli.client import connect
from api.cli.errors import CommandError
from api.cli.submit import read_config
from api.cli.terminal import answers, print_json, print_problems


def list_pipelines(url: str, api_key: str | None, *, as_json: bool) -> None:
    with connect(url, api_key) as client:
        listing = client.get("api/v1/pipelines")
    if as_json:
        print_json(listing)
        return
    table = Table("pipeline", "version", "what it does", "writes", box=None, padding=(0, 2, 0, 0))
    for card in listing["pipelines"]:
        table.add_row(
            f"[bold]{card['name']}[/]"
            + ("" if card["default_enabled"] else " [dim](on request)[/]"),
            escape(card["version"]),
            escape(_first_sentence(card["description"])),
            escape(", ".join(output["format"] for output in card["outputs"])),
        )
    answers().print(table)


def validate(url: str, api_key: str | None, pipeline: str, config: str, *, as_json: bool) -> None:
    """Raises CommandError for a config that is not valid; the verdict itself is printed."""
    body = {"pipeline": pipeline, "config": read_config(config)}
    with connect(url, api_key) as client:
        verdict = client.post("api/v1/pipelines/validate", body)
    if as_json:
        print_json(verdict)
    else:
        _print_verdict(verdict)
    if not verdict["valid"]:
        raise SystemExit(CommandError.exit_code)


def _first_sentence(description: str) -> str:
    """Plainly; the rest, and the emphasis, is for pages that show Markdown."""
    return description.split(". ", maxsplit=1)[0].rstrip(".").replace("**", "")


def _print_verdict(verdict: dict[str, Any]) -> None:
    console = answers()
    if not verdict["valid"]:
        console.print("[red]The config is not valid.[/]")
    elif verdict["warnings"]:
        console.print("[yellow]The config is valid, but:[/]")
    else:
        console.print("[green]The config is valid.[/]")
    print_problems(console, verdict["errors"])
    print_problems(console, verdict["warnings"])
