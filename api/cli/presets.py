"""`framegate presets`: which presets can be used, and what is wrong with the others."""

from dataclasses import asdict
from pathlib import Path

from rich.markup import escape
from rich.table import Table

from api.cli.errors import CommandError
from api.cli.settings import read_settings
from api.cli.terminal import answers, print_json
from pipelines.registry.catalog import load_catalog
from pipelines.registry.presets import Presets, load_presets


def list_presets(home: Path | None, *, as_json: bool) -> None:
    """Exits with 1 if a preset cannot be used."""
    folder = read_settings(home=home).paths.presets
    presets = load_presets(folder, load_catalog())
    if as_json:
        print_json(_listing(presets))
    else:
        _print(presets, folder)
    if presets.problems:
        raise SystemExit(CommandError.exit_code)


def _listing(presets: Presets) -> dict[str, object]:
    usable = [
        {
            "name": preset.name,
            "description": preset.description,
            "pipelines": list(preset.pipelines),
            "config": preset.config,
            "priority": preset.priority,
            "owner": preset.owner,
            "tags": preset.tags,
            "link_results": preset.link_results,
        }
        for preset in presets.usable.values()
    ]
    return {"presets": usable, "problems": [asdict(problem) for problem in presets.problems]}


def _print(presets: Presets, folder: Path) -> None:
    console = answers()
    if not presets.usable and not presets.problems:
        console.print(f"There are no presets in {escape(str(folder))}.")
        return
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for preset in presets.usable.values():
        pipelines = escape(", ".join(preset.pipelines))
        table.add_row("[green]✓[/]", f"[bold]{preset.name}[/]", pipelines)
    for problem in presets.problems:
        place = f"{problem.file}: {problem.field}" if problem.field else problem.file
        table.add_row("[red]✗[/]", escape(place), escape(problem.message))
        if problem.hint:
            table.add_row("", "", f"[yellow]{escape(problem.hint)}[/]")
    console.print(table)
