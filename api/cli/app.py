"""The command line: what can be typed. Each command imports what it needs when it is called,
so that `framegate --help` and the light commands start at once.
"""

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from api.cli.database_app import database_app
from api.cli.errors import CommandError
from api.cli.options import DatabaseUrl, Home, Json

app = typer.Typer(
    name="framegate",
    help="Videos in, annotations out, on GPUs you own.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
keys_app = typer.Typer(no_args_is_help=True, help="Make, list and revoke API keys.")
app.add_typer(keys_app, name="keys", rich_help_panel="This machine")
app.add_typer(database_app, name="db", rich_help_panel="This machine")

_CLIENT = "Jobs, over REST"
_MACHINE = "This machine"

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


def main() -> None:
    """The console script `framegate`."""
    try:
        app()
    except CommandError as error:
        from api.cli.terminal import print_error

        print_error(error, as_json="--json" in sys.argv)
        sys.exit(error.exit_code)
    except BrokenPipeError:  # `framegate jobs | head`: the reader has seen enough
        sys.stderr.close()
        sys.exit(0)


@app.command(rich_help_panel=_MACHINE)
def up(
    *,
    home: Home = None,
    host: Annotated[str | None, typer.Option(help="Address that the API listens on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port of the API.")] = None,
    dagster_port: Annotated[int | None, typer.Option(help="Port of the Dagster UI.")] = None,
    database_url: DatabaseUrl = None,
    as_json: Json = False,
) -> None:
    """Start all parts of Framegate; Ctrl-C stops them."""
    from api.cli.up import up as run

    run(home, host, port, dagster_port, database_url, as_json=as_json)


@app.command(rich_help_panel=_MACHINE)
def demo(
    *,
    home: Home = None,
    keep: Annotated[bool, typer.Option("--keep", help="Stay up until Ctrl-C.")] = False,
    as_json: Json = False,
) -> None:
    """Annotate a sample video with every pipeline and show what was found."""
    from api.cli.demo import demo as run

    run(home, keep=keep, as_json=as_json)


@app.command(rich_help_panel=_MACHINE)
def presets(*, home: Home = None, as_json: Json = False) -> None:
    """List the presets of this machine, and what is wrong with those that cannot be used."""
    from api.cli.presets import list_presets as run

    run(home, as_json=as_json)


@app.command(rich_help_panel=_MACHINE)
def doctor(*, home: Home = None, as_json: Json = False) -> None:
    """Check everything Framegate needs here, and say how to mend what is broken."""
    from api.cli.doctor import doctor as run

    run(home, as_json=as_json)


@app.command(rich_help_panel=_MACHINE)
def backup(
    to: Annotated[Path, typer.Argument(metavar="TO", help="A folder that is new or empty.")],
    *,
    previous: Annotated[
        Path | None, typer.Option(help="A backup whose files are linked where they are the same.")
    ] = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Copy everything that Framegate keeps, while it runs or not."""
    from api.cli.backup import backup as run

    run(home, to, previous, as_json=as_json)


@app.command(rich_help_panel=_MACHINE)
def restore(
    source: Annotated[Path, typer.Argument(metavar="FROM", help="A backup.")],
    *,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Make a new home of a backup."""
    from api.cli.backup import restore as run

    run(home, source, as_json=as_json)


@app.command(rich_help_panel=_CLIENT)
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


@app.command(rich_help_panel=_CLIENT)
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


@app.command(rich_help_panel=_CLIENT)
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


@app.command(rich_help_panel=_CLIENT)
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


@app.command(rich_help_panel=_CLIENT)
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


@app.command(rich_help_panel=_CLIENT)
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


@app.command(rich_help_panel=_CLIENT)
def pipelines(*, url: Url = _URL, api_key: ApiKey = None, as_json: Json = False) -> None:
    """List what can be run."""
    from api.cli.pipelines import list_pipelines

    list_pipelines(url, api_key, as_json=as_json)


@app.command(rich_help_panel=_CLIENT)
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


@keys_app.command("create")
def create_key(
    *,
    role: Annotated[
        Literal["admin", "annotator", "reader"], typer.Option(help="What the key may do.")
    ],
    name: Annotated[str, typer.Option(help="Whose key it is; jobs remember it as their owner.")],
    days: Annotated[
        float | None, typer.Option(help="Expires after so many days.", min=0.001)
    ] = None,
    webhook: Annotated[
        str | None, typer.Option(metavar="URL", help="Told when jobs of this name end.")
    ] = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Make a key and print it: it is never shown again."""
    from api.cli.keys import create_key as run

    run(home, role=role, name=name, days=days, webhook=webhook, as_json=as_json)


@keys_app.command("list")
def list_keys(*, home: Home = None, as_json: Json = False) -> None:
    """List all keys, without their secrets."""
    from api.cli.keys import list_keys as run

    run(home, as_json=as_json)


@keys_app.command("revoke")
def revoke_key(
    key_id: Annotated[str, typer.Argument(metavar="ID", help="As `keys list` shows it.")],
    *,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Make a key worthless at once."""
    from api.cli.keys import revoke_key as run

    run(home, key_id, as_json=as_json)
