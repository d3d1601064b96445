"""The commands that speak REST: what can be typed wherever there is a key."""

from pathlib import Path
from typing import Annotated

import typer

from api.cli.options import Json

client_app = typer.Typer()

_JOBS = "Jobs, over REST"

Url = Annotated[
    str,
    typer.Option("--url", envvar="FRAMEGATE_URL", help="Where the API answers."),
]
ApiKey = Annotated[
    str | None,
    typer.Option("--api-key", envvar="FRAMEGATE_API_KEY", help="Your API key.", show_default=False),
]
JobId = Annotated[str, typer.Argument(metavar="JOB", help="The id of a job.")]
_URL = "http://127.0.0.1:8000"


@client_app.command(rich_help_panel=_JOBS)
def submit(
    file: Annotated[Path, typer.Argument(help="A video or audio file.")],
    *,
    pipelines: Annotated[
        str | None,
        typer.Option(
            "--pipelines", "-p", help="Names with commas between.", show_default="all by default"
        ),
    ] = None,
    config: Annotated[
        str | None,
        typer.Option("--config", "-c", help="JSON keyed by pipeline, or the file that holds it."),
    ] = None,
    wait: Annotated[bool, typer.Option("--wait", "-w", help="Until it ends.")] = False,
    url: Url = _URL,
    api_key: ApiKey = None,
    as_json: Json = False,
) -> None:
    """Upload a file and annotate it."""
    from api.cli.submit import submit as run

    run(url, api_key, file, pipelines=pipelines, config=config, wait=wait, as_json=as_json)


@client_app.command(rich_help_panel=_JOBS)
def jobs(
    *,
    status: Annotated[str | None, typer.Option(help="Only jobs in this status.")] = None,
    pipeline: Annotated[str | None, typer.Option(help="Only jobs of this pipeline.")] = None,
    page: Annotated[int, typer.Option(min=1)] = 1,
    per_page: Annotated[int, typer.Option(min=1, max=100)] = 20,
    url: Url = _URL,
    api_key: ApiKey = None,
    as_json: Json = False,
) -> None:
    """List jobs, the newest first."""
    from api.cli.jobs import list_jobs

    list_jobs(
        url,
        api_key,
        status=status,
        pipeline=pipeline,
        page=page,
        per_page=per_page,
        as_json=as_json,
    )


@client_app.command(rich_help_panel=_JOBS)
def job(
    job_id: JobId,
    *,
    wait: Annotated[bool, typer.Option("--wait", "-w", help="Until it ends.")] = False,
    url: Url = _URL,
    api_key: ApiKey = None,
    as_json: Json = False,
) -> None:
    """Look at one job."""
    from api.cli.jobs import show_job

    show_job(url, api_key, job_id, wait=wait, as_json=as_json)


@client_app.command(rich_help_panel=_JOBS)
def cancel(
    job_id: JobId,
    *,
    reason: Annotated[str | None, typer.Option(help="Kept on the run.")] = None,
    url: Url = _URL,
    api_key: ApiKey = None,
    as_json: Json = False,
) -> None:
    """Stop a job, whatever it is doing."""
    from api.cli.jobs import cancel_job

    cancel_job(url, api_key, job_id, reason=reason, as_json=as_json)


@client_app.command(rich_help_panel=_JOBS)
def retry(
    job_id: JobId,
    *,
    wait: Annotated[bool, typer.Option("--wait", "-w", help="Until it ends.")] = False,
    url: Url = _URL,
    api_key: ApiKey = None,
    as_json: Json = False,
) -> None:
    """Run what a failed or cancelled job did not complete, as a new job."""
    from api.cli.retry import retry as run

    run(url, api_key, job_id, wait=wait, as_json=as_json)


@client_app.command(rich_help_panel=_JOBS)
def results(
    job_id: JobId,
    *,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Save the files here.")] = None,
    url: Url = _URL,
    api_key: ApiKey = None,
    as_json: Json = False,
) -> None:
    """Show what a job found, and fetch its files."""
    from api.cli.results import show_results

    show_results(url, api_key, job_id, out=out, as_json=as_json)


@client_app.command(rich_help_panel=_JOBS)
def pipelines(*, url: Url = _URL, api_key: ApiKey = None, as_json: Json = False) -> None:
    """List what can be run."""
    from api.cli.pipelines import list_pipelines

    list_pipelines(url, api_key, as_json=as_json)


@client_app.command(rich_help_panel=_JOBS)
def validate(
    pipeline: Annotated[str, typer.Argument(help="The name of a pipeline.")],
    config: Annotated[str, typer.Argument(help="JSON, or the file that holds it.")],
    *,
    url: Url = _URL,
    api_key: ApiKey = None,
    as_json: Json = False,
) -> None:
    """Check a config without running anything."""
    from api.cli.pipelines import validate as run

    run(url, api_key, pipeline, config, as_json=as_json)
