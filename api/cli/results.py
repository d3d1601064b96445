"""`framegate results`: what a job found, and its files on this machine."""

from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table

from api.cli.client import Client, connect, job_path
from api.cli.errors import CommandError, UsageError
from api.cli.terminal import answers, notes, print_json

Results = Mapping[str, Any]

#: Columns of a pipeline's table that say when something begins.
_TIME_COLUMNS = ("start", "first seen")


def show_results(
    url: str, api_key: str | None, job_id: str, *, out: Path | None, as_json: bool
) -> None:
    with connect(url, api_key) as client:
        results = client.get(f"{job_path(job_id)}/results")
        saved = save(client, results, out) if out else []
    if as_json:
        extra = {"saved": [str(path) for path in saved]} if out else {}
        print_json({**results, **extra})
        return
    console = answers()
    console.print(findings_table(results))
    if out:
        for path in saved:
            console.print(str(path), markup=False)
    else:
        console.print(_file_table(results))
        notes().print(f"[dim]`framegate results {escape(job_id)} --out DIR` saves the files.[/]")


def save(client: Client, results: Results, out: Path) -> list[Path]:
    """Downloads every file into a folder per pipeline; each appears only when it is whole."""
    saved = []
    for file in results["files"]:
        target = out / _inside(file["path"])
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            client.download(file["url"], target)
        except OSError as error:
            raise UsageError(f"{target} cannot be written: {error.strerror}.") from error
        saved.append(target)
    return saved


def findings_table(results: Results) -> RenderableType:
    """What each pipeline found, where it ran and how long it took, and its notes."""
    table = Table("pipeline", "found", "where", "seconds", "device", box=None, padding=(0, 2, 0, 0))
    lines: list[RenderableType] = []
    for name, manifest in results["pipelines"].items():
        table.add_row(
            f"[bold]{escape(name)}[/]",
            f"{manifest['annotation_count']} {escape(manifest['noun'])}",
            escape(_where(manifest["table"])),
            f"{sum(manifest['timings'].values()):.1f}",
            escape(manifest["device"]),
        )
        if manifest.get("complete") is False:
            read = manifest.get("covered_seconds") or 0.0
            lines.append(f"[yellow]{escape(name)}: incomplete, {read:.1f} s were read[/]")
        lines += [f"[dim]{escape(name)}: {escape(note)}[/]" for note in manifest["notes"]]
    return Group(table, *lines)


def _where(rows: list[Mapping[str, Any]], most: int = 4) -> str:
    """When the first few things found begin, as the pipelines write times: `1:02:03.4`."""
    column = next((key for key in (rows[0] if rows else {}) if key in _TIME_COLUMNS), None)
    if column is None:
        return ""
    begins = sorted((str(row[column]) for row in rows), key=lambda time: (len(time), time))
    times = begins[:most]
    return ", ".join(times) + (", …" if len(rows) > most else "")


def _file_table(results: Results) -> Table:
    table = Table("file", "kind", "size", box=None)
    for file in results["files"]:
        table.add_row(escape(file["path"]), file["role"], _size(file["size_bytes"]))
    return table


def _size(size: float) -> str:
    for unit in ("B", "kB", "MB"):
        if size < 1000:  # noqa: PLR2004 - decimal units
            return f"{size:.0f} {unit}"
        size /= 1000
    return f"{size:.1f} GB"


def _inside(path: str) -> PurePosixPath:
    """A path that stays below the folder it is joined to, whatever the server said."""
    pure = PurePosixPath(path)
    if pure.is_absolute() or ".." in pure.parts or not pure.parts:
        raise CommandError(f"The server names a file {path!r}, which leads out of the folder.")
    return pure
