"""Waiting for a job with a live bar for each of its pipelines."""

import time
from collections.abc import Mapping
from typing import Any

from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from api.cli.client import Client, job_path
from api.cli.errors import InterruptedCommandError, UnreachableError
from api.cli.terminal import notes

ENDED = frozenset({"completed", "failed", "cancelled"})

_POLL_SECONDS = 0.5
#: An API that ended is up again within seconds, and the job goes on without it.
_PATIENCE_SECONDS = 30.0


def wait_for(client: Client, job: Mapping[str, Any], *, quiet: bool) -> Mapping[str, Any]:
    """The job once it has ended; its id and bars are on standard error unless `quiet`.

    Raises InterruptedCommandError at Ctrl-C, as the job itself goes on, and UnreachableError when
    the server has been away for long.
    """
    try:
        if not quiet:
            notes().print(f"Job [bold]{job['id']}[/]")
        with _bars(quiet=quiet) as bars:
            rows = {
                name: bars.add_task(name, total=1.0, start=False, note="")
                for name in job["selected_pipelines"]
            }
            _show(bars, rows, job)
            while job["status"] not in ENDED:
                time.sleep(_POLL_SECONDS)
                job = _look_at(client, job["id"])
                _show(bars, rows, job)
    except KeyboardInterrupt:
        raise InterruptedCommandError(
            f"You stopped waiting; job {job['id']} goes on.",
            code="INTERRUPTED",
            hint=f"See it with `framegate job {job['id']}`, stop it with "
            f"`framegate cancel {job['id']}`.",
        ) from None
    return job


def _look_at(client: Client, job_id: str) -> Mapping[str, Any]:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            job: Mapping[str, Any] = client.get(job_path(job_id))
        except UnreachableError:
            if time.monotonic() > deadline:
                raise
            time.sleep(_POLL_SECONDS)
        else:
            return job


def _bars(*, quiet: bool) -> Progress:
    return Progress(
        TextColumn("[bold]{task.description}"),
        BarColumn(bar_width=40),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeElapsedColumn(),
        TextColumn("{task.fields[note]}"),
        console=notes(),
        disable=quiet,
    )


def _show(bars: Progress, rows: Mapping[str, TaskID], job: Mapping[str, Any]) -> None:
    for name, row in rows.items():
        result = (job.get("pipeline_results") or {}).get(name) or {}
        status = result.get("status") or "pending"
        if status != "pending":
            bars.start_task(row)
        fraction = 1.0 if status == "completed" else (job.get("progress") or {}).get(name, 0.0)
        bars.update(row, completed=fraction, note=_note(job, status, result))
        if status in ENDED:
            bars.stop_task(row)


def _note(job: Mapping[str, Any], status: str, result: Mapping[str, Any]) -> str:
    if status == "completed":
        return f"[green]{result.get('annotation_count', 0)} found[/]"
    if status in ENDED:
        return f"[red]{status}[/]"
    if status != "pending":
        return f"[dim]{status}[/]"
    place = job.get("queue_position")
    reason = job.get("waiting_reason")
    waits = f"waits, place {place}" if place else "waits"
    return f"[dim]{waits}{f': {escape(reason)}' if reason else ''}[/]"
