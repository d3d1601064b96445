"""`framegate jobs`, `job`, `cancel`: what the API says of jobs, for people to read."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table

from api.cli.client import connect, job_path
from api.cli.errors import CommandError
from api.cli.terminal import answers, print_json
from api.cli.wait import wait_for

Job = Mapping[str, Any]

_COLOURS = {
    "pending": "yellow",
    "running": "blue",
    "cancelling": "yellow",
    "completed": "green",
    "failed": "red",
    "cancelled": "magenta",
}


def list_jobs(
    url: str,
    api_key: str | None,
    *,
    status: str | None,
    pipeline: str | None,
    page: int,
    per_page: int,
    as_json: bool,
) -> None:
    with connect(url, api_key) as client:
        listing = client.get(
            "api/v1/jobs", status=status, pipeline=pipeline, page=page, per_page=per_page
        )
    if as_json:
        print_json(listing)
        return
    table = Table("job", "status", "submitted", "pipelines", "video", "owner", box=None)
    for job in listing["jobs"]:
        table.add_row(
            job["id"],
            coloured(job["status"]),
            local_time(job["created_at"]),
            ", ".join(job["selected_pipelines"]),
            escape(job.get("video_filename") or ""),
            escape(job.get("owner") or ""),
        )
    console = answers()
    console.print(table if listing["jobs"] else "No jobs.")
    if listing["total"] > len(listing["jobs"]):
        console.print(f"[dim]{len(listing['jobs'])} of {listing['total']}; more with --page[/]")


def show_job(url: str, api_key: str | None, job_id: str, *, wait: bool, as_json: bool) -> None:
    with connect(url, api_key) as client:
        job = client.get(job_path(job_id))
        if wait:
            job = wait_for(client, job, quiet=as_json)
    print_job(job, as_json=as_json)
    if wait:
        require_completed(job, as_json=as_json)


def cancel_job(
    url: str, api_key: str | None, job_id: str, *, reason: str | None, as_json: bool
) -> None:
    with connect(url, api_key) as client:
        outcome = client.post(f"{job_path(job_id)}/cancel", {"reason": reason} if reason else None)
    if as_json:
        print_json(outcome)
        return
    console = answers()
    console.print(f"{coloured(outcome['status'].lower())}  {escape(outcome['message'])}")
    if gpu := outcome.get("gpu"):
        console.print(
            f"[dim]{escape(gpu['device'])}: {gpu['held_bytes'] / 1e9:.2f} GB were held[/]"
        )


def print_job(job: Job, *, as_json: bool) -> None:
    if as_json:
        print_json(job)
    else:
        answers().print(_job_view(job))


def require_completed(job: Job, *, as_json: bool) -> None:
    """Raises CommandError for a job that ended otherwise; what it is was printed already."""
    if job["status"] == "completed":
        return
    if as_json:
        raise SystemExit(CommandError.exit_code)
    error = job.get("error") or {}
    raise CommandError(
        f"The job {job['status']}." if job["status"] == "failed" else "The job was cancelled.",
        hint=error.get("hint"),
    )


def coloured(status: str) -> str:
    return f"[{_COLOURS.get(status, 'default')}]{escape(status)}[/]"


def local_time(timestamp: str | None) -> str:
    """An ISO 8601 time as the clock on the wall showed it."""
    if not timestamp:
        return ""
    return datetime.fromisoformat(timestamp).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def _job_view(job: Job) -> RenderableType:
    facts = Table.grid(padding=(0, 2))
    facts.add_column(style="dim")
    facts.add_column()
    for name, value in _facts(job):
        if value:
            facts.add_row(name, value)
    pipelines = Table("pipeline", "status", "progress", "annotations", "why", box=None)
    results = job.get("pipeline_results") or {}
    for name in job["selected_pipelines"]:
        result = results.get(name) or {}
        count = result.get("annotation_count")
        fraction = (job.get("progress") or {}).get(name)
        pipelines.add_row(
            name,
            coloured(result.get("status") or "pending"),
            "" if fraction is None else f"{fraction:.0%}",
            "" if count is None else str(count),
            escape(_why(result.get("error"))),
        )
    return Group(facts, "", pipelines)


def _facts(job: Job) -> list[tuple[str, str]]:
    error = job.get("error") or {}
    seconds = job.get("video_duration_seconds")
    video = escape(job.get("video_filename") or "")
    return [
        ("job", job["id"]),
        ("status", coloured(job["status"])),
        ("video", f"{video} ({seconds:.1f} s)" if seconds is not None else video),
        ("owner", escape(job.get("owner") or "")),
        ("retry of", job.get("retry_of") or ""),
        ("submitted", local_time(job.get("created_at"))),
        ("started", local_time(job.get("started_at"))),
        ("ended", local_time(job.get("completed_at") or job.get("cancelled_at"))),
        ("in the queue", str(job.get("queue_position") or "")),
        ("incomplete", _incomplete(job)),
        ("error", escape(error.get("message") or job.get("error_message") or "")),
        ("hint", escape(error.get("hint") or "")),
        ("Dagster UI", job.get("dagster_url") or ""),
    ]


def _incomplete(job: Job) -> str:
    """How much was read, where that is not all."""
    if job.get("complete") is not False:
        return ""
    return f"[yellow]{job.get('covered_seconds') or 0.0:.1f} s of the media could be read[/]"


def _why(error: Any) -> str:
    if isinstance(error, Mapping):
        return str(error.get("message") or error.get("code") or "")
    return str(error or "")
