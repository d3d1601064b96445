"""The command line: what can be typed on the machine itself. Each command imports what it needs
when it is called, so that `framegate --help` and the light commands start at once.
"""

import sys
from pathlib import Path
from typing import Annotated

import typer

from api.cli.client_app import client_app
from api.cli.database_app import database_app
from api.cli.errors import CommandError
from api.cli.keys_app import keys_app
from api.cli.options import DatabaseUrl, Home, Json

app = typer.Typer(
    name="framegate",
    help="Videos in, annotations out, on GPUs you own.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
_MACHINE = "This machine"
app.add_typer(keys_app, name="keys", rich_help_panel=_MACHINE)
app.add_typer(database_app, name="db", rich_help_panel=_MACHINE)
app.add_typer(client_app)  # without a name: its commands are the app's own


def main() -> None:
    """The console script `framegate`."""
    try:
        app()
    except CommandError as error:
        from api.cli.terminal import print_error

        print_error(error, as_json="--json" in sys.argv)
        sys.exit(error.exit_code)


def _print_version(asked: bool) -> None:  # noqa: FBT001 - called by Typer
    if asked:
        from importlib.metadata import version

        print(version("framegate"))  # noqa: T201 - this is the output
        raise typer.Exit


@app.callback()
def framegate(
    *,
    _version: Annotated[
        bool,
        typer.Option(
            "--version", is_eager=True, callback=_print_version, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    """What holds for all commands."""


@app.command(rich_help_panel=_MACHINE)
def up(
    *,
    home: Home = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.")] = None,
    database_url: DatabaseUrl = None,
    as_json: Json = False,
) -> None:
    """Start all parts of Framegate; Ctrl-C stops them."""
    from api.cli.up import up as run

    run(home, host, port, database_url, as_json=as_json)


@app.command("open", rich_help_panel=_MACHINE)
def open_ui(*, home: Home = None, as_json: Json = False) -> None:
    """Open the Dagster UI of the running stack in a browser, signed in as its administrator."""
    from api.cli.open_ui import open_ui as run

    run(home, as_json=as_json)


@app.command(rich_help_panel=_MACHINE)
def demo(
    *,
    home: Home = None,
    pipelines: Annotated[
        str | None, typer.Option("--pipelines", help="Comma-separated names; all if not given.")
    ] = None,
    keep: Annotated[bool, typer.Option("--keep", help="Stay up until Ctrl-C.")] = False,
    as_json: Json = False,
) -> None:
    """Annotate a sample video and show what was found."""
    from api.cli.demo import demo as run

    run(home, pipelines=pipelines, keep=keep, as_json=as_json)


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
